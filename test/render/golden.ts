import { join } from "node:path";
import { goldenFiles } from "../helpers/golden";

/** Compares a rendered text with its golden file. */
export const expectGolden = goldenFiles(join(__dirname, "golden"));
