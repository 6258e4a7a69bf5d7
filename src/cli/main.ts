#!/usr/bin/env node
import { processIo } from './output.ts';
import { runCli } from './program.ts';

/** Everything has been stopped by now; what still keeps the process from ending is not worth waiting for. */
const LINGER_MS = 2_000;

process.exitCode = await runCli(process.argv.slice(2), processIo());
setTimeout(() => process.exit(), LINGER_MS).unref();
