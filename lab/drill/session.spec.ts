import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect } from "chai";
import { DatabaseError } from "pg";
import { done, welcome } from "../../test/helpers/protocol";
import { classifyFailedInsert, NotConnectedError, Session } from "./session";

function databaseError(severity: string, code: string): DatabaseError {
    const error = new DatabaseError("planted", 0, "error");
    return Object.assign(error, { severity, code });
}

describe("classifyFailedInsert", () => {
    it("knows that nothing was sent without a connection", () => {
        expect(classifyFailedInsert(new NotConnectedError("refused"))).to.equal("unsent");
    });

    for (const code of ["25006", "40001", "53300"]) {
        it(`takes PostgreSQL's word for a rollback (${code})`, () => {
            expect(classifyFailedInsert(databaseError("ERROR", code))).to.equal("refused");
        });
    }

    it("leaves open what became of a row when the connection or the server went away", () => {
        expect(classifyFailedInsert(new Error("Connection terminated unexpectedly"))).to.equal("unknown");
        expect(classifyFailedInsert(databaseError("FATAL", "57P01"))).to.equal("unknown");
        expect(classifyFailedInsert(databaseError("ERROR", "08006"))).to.equal("unknown");
    });
});

describe("Session", () => {
    const servers: Server[] = [];

    /** An address that accepts connections; what happens next is up to `behave`. */
    async function listen(behave: (socket: Socket) => void): Promise<string> {
        const server = createServer((socket) => {
            socket.on("error", () => undefined);
            behave(socket);
        });
        servers.push(server.listen(0, "127.0.0.1"));
        await once(server, "listening");
        return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    async function failure(session: Session): Promise<unknown> {
        return session.query("SELECT 1").then(
            () => undefined,
            (error: unknown) => error,
        );
    }

    after(() => servers.forEach((server) => server.close()));

    it("goes to the next endpoint after a failure, round and round", async () => {
        const seen: string[] = [];
        const closing = (name: string): Promise<string> =>
            listen((socket) => {
                seen.push(name);
                socket.destroy();
            });
        const endpoints = [await closing("first"), await closing("second")];
        const session = new Session(endpoints, { user: "u", password: "p", database: "d" }, 1);
        for (let attempt = 0; attempt < 3; attempt++) {
            expect(await failure(session)).to.be.instanceOf(NotConnectedError);
        }
        expect(seen).to.deep.equal(["second", "first", "second"]);
    });

    it("leaves a session that has ended when it is validated, and only then without a failure", async () => {
        let connections = 0;
        const endpoint = await listen((socket) => {
            connections += 1;
            // The login, one statement, and then the session's end in place of an answer.
            const replies = [welcome, done];
            socket.on("data", () => {
                const reply = replies.shift();
                if (reply === undefined) socket.destroy();
                else socket.write(reply);
            });
        });
        const session = new Session([endpoint], { user: "u", password: "p", database: "d" });
        expect(await failure(session)).to.equal(undefined);
        await session.validate();
        expect(await failure(session)).to.equal(undefined);
        expect(connections).to.equal(2);
        expect(await failure(session))
            .to.be.instanceOf(Error)
            .and.not.instanceOf(NotConnectedError);
        session.close();
    });

    it("gives up on a server that accepts and stays silent", async () => {
        const session = new Session([await listen(() => undefined)], { user: "u", password: "p", database: "d" });
        const begun = performance.now();
        expect(await failure(session)).to.be.instanceOf(NotConnectedError);
        expect(performance.now() - begun).to.be.within(1500, 4000);
    });
});
