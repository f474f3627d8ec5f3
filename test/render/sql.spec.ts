import { expect } from "chai";
import * as fc from "fast-check";
import { renderApplicationDropSql, renderApplicationSql } from "../../components/render/sql";
import { quoteIdentifier, quoteLiteral } from "../../components/render/sqlText";
import { expectGolden } from "./golden";
import { application } from "./samples";

/** Reads a quoted name as PostgreSQL's scanner does; undefined when it ends before the text does. */
function readIdentifier(quoted: string): string | undefined {
    const match = /^"((?:[^"]|"")*)"$/.exec(quoted);
    return match?.[1]?.replaceAll('""', '"');
}

/** Reads a quoted text as PostgreSQL's scanner does with standard_conforming_strings on. */
function readLiteral(quoted: string): string | undefined {
    const escaped = /^E'((?:[^'\\]|''|\\\\)*)'$/.exec(quoted);
    if (escaped?.[1] !== undefined) {
        return escaped[1].replaceAll("''", "'").replaceAll("\\\\", "\\");
    }
    return /^'((?:[^'\\]|'')*)'$/.exec(quoted)?.[1]?.replaceAll("''", "'");
}

describe("render/sql", () => {
    it("renders an application", () => expectGolden("application.sql", renderApplicationSql(application)));

    it("renders the drop of an application", () =>
        expectGolden("application-drop.sql", renderApplicationDropSql("shop", ["shop", "shop_reader"])));

    const name = fc.oneof(
        fc.string({ unit: "binary" }),
        fc.string({ unit: fc.constantFrom('"', "'", "\\", "$", ";", "-", "a", "E") }),
    );

    it("quotes any name so that it round-trips", () => {
        fc.assert(
            fc.property(name, (text) => {
                expect(readIdentifier(quoteIdentifier(text))).to.equal(text);
            }),
        );
    });

    it("quotes any text so that it round-trips", () => {
        fc.assert(
            fc.property(name, (text) => {
                expect(readLiteral(quoteLiteral(text))).to.equal(text);
            }),
        );
    });

    it("writes no backslash that a server without standard_conforming_strings would take for an escape", () => {
        expect(quoteLiteral("a\\'b")).to.equal("E'a\\\\''b'");
        expect(quoteLiteral("plain")).to.equal("'plain'");
    });
});
