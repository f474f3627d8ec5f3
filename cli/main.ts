#!/usr/bin/env node
import { runProgram } from "./program";

const terminal = { input: process.stdin, output: process.stdout, messages: process.stderr };
void runProgram(process.argv.slice(2), terminal).then((status) => {
    process.exitCode = status;
});
