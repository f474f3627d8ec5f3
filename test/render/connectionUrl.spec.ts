import { expect } from "chai";
import * as fc from "fast-check";
import { renderConnectionUrl, requiresTls } from "../../components/render/connectionUrl";

describe("render/connectionUrl", () => {
    const target = { addresses: ["192.0.2.11", "192.0.2.12"], port: 5433 };

    it("names all entry points", () => {
        expect(renderConnectionUrl(target, { username: "shop", password: "secret", database: "shop" })).to.equal(
            "postgresql://shop:secret@192.0.2.11:5433,192.0.2.12:5433/shop?connect_timeout=3",
        );
    });

    it("says that TLS is required, and can be asked whether it did", () => {
        const login = { username: "shop", password: "p", database: "d?x&sslmode=require" };
        const url = renderConnectionUrl({ ...target, requireTls: true }, login);
        expect(url).to.match(/\?connect_timeout=3&sslmode=require$/);
        expect([url, renderConnectionUrl(target, login)].map(requiresTls)).to.deep.equal([true, false]);
    });

    it("puts IPv6 addresses in brackets", () => {
        const url = renderConnectionUrl(
            { addresses: ["2001:db8::1"], port: 5433 },
            { username: "u", password: "p", database: "d" },
        );
        expect(url).to.equal("postgresql://u:p@[2001:db8::1]:5433/d?connect_timeout=3");
    });

    it("escapes what would be taken for a part of the URL", () => {
        const url = renderConnectionUrl(target, { username: "a@b:c", password: "p/w?#%", database: "x/y?sslmode=z&ü" });
        expect(url).to.equal(
            "postgresql://a%40b%3Ac:p%2Fw%3F%23%25@192.0.2.11:5433,192.0.2.12:5433/x%2Fy%3Fsslmode%3Dz%26%C3%BC?connect_timeout=3",
        );
    });

    it("round-trips any login", () => {
        const word = fc.string({ unit: "binary", minLength: 1 });
        fc.assert(
            fc.property(word, word, word, (username, password, database) => {
                const url = renderConnectionUrl({ addresses: ["h"], port: 1 }, { username, password, database });
                const parts = /^postgresql:\/\/([^:@/?#]+):([^:@/?#]+)@h:1\/([^:@/?#]+)\?connect_timeout=3$/.exec(url);
                expect(parts?.slice(1).map(decodeURIComponent)).to.deep.equal([username, password, database]);
            }),
        );
    });
});
