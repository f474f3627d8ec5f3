import { expect } from "chai";
import { haproxyOpenFiles, renderHaProxyCfg, renderHaProxyUsers } from "../../components/render/haproxyCfg";
import { expectGolden } from "./golden";
import { haProxy } from "./samples";

describe("render/haproxyCfg", () => {
    it("renders the configuration", () => expectGolden("haproxy.cfg", renderHaProxyCfg(haProxy)));

    it("renders the configuration without fallback to the primary", () =>
        expectGolden("haproxy-no-fallback.cfg", renderHaProxyCfg({ ...haProxy, enableReadOnlyFallback: false })));

    it("renders the configuration with PgBouncers behind it", () =>
        expectGolden("haproxy-pooled.cfg", renderHaProxyCfg({ ...haProxy, poolers: { name: "pg-poolers" } })));

    it("asks a PgBouncer that requires TLS for it, because it answers nothing else", () => {
        const text = renderHaProxyCfg({ ...haProxy, poolers: { name: "pg-poolers", requireTls: true } });
        expect(text).to.include("tcp-check expect binary 53").and.not.include("pgsql-check");
    });

    it("needs an open file for each side of a connection, and keeps room for the PgBouncers' own way", () => {
        const files = haproxyOpenFiles({ ...haProxy, maxConnections: 10000 });
        expect(files).to.be.within(20000, 20500);
        const pooled = { ...haProxy, maxConnections: 10000, poolers: { name: "pg-poolers" } };
        expect(haproxyOpenFiles(pooled)).to.equal(files + 2 * 1000);
        expect(renderHaProxyCfg(pooled))
            .to.match(/^ {2}maxconn 11000$/m)
            .and.to.match(/^ {2}maxconn 10000$/m);
    });

    it("renders the user list, and a password only there", () => {
        expectGolden("haproxy-users.cfg", renderHaProxyUsers("admin", "statistics-password"));
        expect(renderHaProxyCfg(haProxy)).not.to.include("password");
    });

    it("quotes a password, so that none of it is syntax", () => {
        expect(renderHaProxyUsers("admin", `it's "$HOME" # x`)).to.include(
            `user admin insecure-password 'it'\\''s "$HOME" # x'`,
        );
    });
});
