import { expect } from "chai";
import { renderHaProxyCfg, renderHaProxyUsers } from "../../components/render/haproxyCfg";
import { expectGolden } from "./golden";
import { haProxy } from "./samples";

describe("render/haproxyCfg", () => {
    it("renders the configuration", () => expectGolden("haproxy.cfg", renderHaProxyCfg(haProxy)));

    it("renders the configuration without fallback to the primary", () =>
        expectGolden("haproxy-no-fallback.cfg", renderHaProxyCfg({ ...haProxy, enableReadOnlyFallback: false })));

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
