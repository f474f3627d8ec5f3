import { expect } from "chai";
import { memoryParameters } from "../../components/render/tuning";

describe("render/tuning", () => {
    const table = [
        // Seed 002's figures.
        { memoryMiB: 16384, connections: 500, expected: ["4096MB", "12288MB", "1024MB", "10MB"] },
        { memoryMiB: 512, connections: 200, expected: ["128MB", "384MB", "32MB", "4MB"] },
        { memoryMiB: 2048, connections: 200, expected: ["512MB", "1536MB", "128MB", "4MB"] },
        { memoryMiB: 65536, connections: 100, expected: ["16384MB", "49152MB", "2048MB", "203MB"] },
    ];
    for (const { memoryMiB, connections, expected } of table) {
        it(`derives memory settings from ${memoryMiB} MiB and ${connections} connections`, () => {
            const [shared_buffers, effective_cache_size, maintenance_work_mem, work_mem] = expected;
            expect(memoryParameters(memoryMiB, connections)).to.deep.equal({
                shared_buffers,
                effective_cache_size,
                maintenance_work_mem,
                work_mem,
            });
        });
    }
});
