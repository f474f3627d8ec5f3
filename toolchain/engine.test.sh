#!/usr/bin/env bash
# Runs a small program through the real engine with the installed language host and plugins: no host is reached.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=env.sh
source "$here/env.sh"
project="$(mktemp -d)"
trap 'rm -rf "$project"' EXIT
mkdir "$project/backend"
export PULUMI_BACKEND_URL="file://$project/backend" PULUMI_CONFIG_PASSPHRASE=test
ln -s "$here/../node_modules" "$project/node_modules"

cat >"$project/Pulumi.yaml" <<'YAML'
name: toolchain-test
runtime: nodejs
YAML
echo '{ "name": "toolchain-test" }' >"$project/package.json"
cat >"$project/index.js" <<'JS'
const pulumi = require("@pulumi/pulumi");
const command = require("@pulumi/command");
const docker = require("@pulumi/docker");
const random = require("@pulumi/random");
const tls = require("@pulumi/tls");

const config = new pulumi.Config();
const password = new random.RandomPassword("password", { length: 30 });
const greeting = new command.local.Command("greeting", {
    create: `echo "hello $(cat)"`,
    update: `echo "again $(cat), was $PULUMI_COMMAND_STDOUT"`,
    stdin: config.get("name") ?? "world",
    triggers: [config.get("trigger") ?? "first"],
});
exports.greeting = greeting.stdout;
exports.password = password.result;
const key = new tls.PrivateKey("key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
const certificate = new tls.SelfSignedCert("certificate", {
    privateKeyPem: key.privateKeyPem,
    subject: { commonName: "test" },
    allowedUses: ["server_auth"],
    validityPeriodHours: 100,
    earlyRenewalHours: config.getNumber("earlyRenewalHours") ?? 10,
});
exports.certificate = certificate.certPem;
exports.run = command.local.runOutput({ command: "echo run" }).stdout;

if (config.getBoolean("swarm")) {
    const provider = new docker.Provider("swarm", { host: "ssh://nowhere.invalid" });
    const network = new docker.Network("network", { driver: "overlay" }, { provider });
    const secret = new docker.Secret("secret", { data: password.result.apply(btoa) }, { provider });
    new docker.Service("service", {
        taskSpec: {
            containerSpec: { image: "x", secrets: [{ secretId: secret.id, secretName: secret.name, fileName: "/s" }] },
            networksAdvanceds: [{ name: network.id }],
        },
    }, { provider });
}
JS

step() { # step NAME WANTED_TEXT ARGUMENTS...: pulumi must succeed and say the text
    local name="$1" wanted="$2"
    shift 2
    if ! (cd "$project" && pulumi --non-interactive --color never --stack dev "$@") >"$project/out" 2>&1 ||
        ! grep -qE -- "$wanted" "$project/out"; then
        printf 'FAIL %s: expected is success with %s\n' "$name" "$wanted" >&2
        sed 's/^/    /' "$project/out" >&2
        exit 1
    fi
    # shellcheck disable=SC2016 # the text has a dollar sign
    if grep -qF 'from $PATH' "$project/out"; then
        printf 'FAIL %s: a plugin comes from PATH\n' "$name" >&2
        exit 1
    fi
    printf 'ok   %s\n' "$name"
}

step "stack" "Created stack 'dev'" stack init --no-select
step "create" '"hello world"' up --yes --skip-preview
step "nothing changes" '5 unchanged' up --yes --skip-preview --expect-no-changes
step "nothing has drifted" '5 unchanged' refresh --yes --skip-preview --expect-no-changes
step "preview of a swarm that is out of reach" '\+ 4 to create' preview --config swarm=true
step "update in place" '"again moon, was hello world"' up --yes --skip-preview --config swarm=false --config name=moon
step "replacement by a trigger" '1 replaced' up --yes --skip-preview --config trigger=second
step "a certificate keeps while only its renewal moves" '1 updated' up --yes --skip-preview --config earlyRenewalHours=20
step "a certificate is renewed early" '1 replaced' up --yes --skip-preview --config earlyRenewalHours=100
step "outputs" '"run": "run"' stack output --json --show-secrets
password="$(sed -n 's/.*"password": "\(.*\)",/\1/p' "$project/out")"
step "state" '"ciphertext"' stack export
if [[ "${#password}" -lt 30 ]] || grep -qF -- "$password" "$project/out" ||
    grep -q "PRIVATE KEY" "$project/out"; then
    printf 'FAIL the password or the key is in the state in the clear, or was not found at all\n' >&2
    exit 1
fi
step "destroy" '5 deleted' destroy --yes --skip-preview
