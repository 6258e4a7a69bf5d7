#!/usr/bin/env node
import { processIo } from './output.ts';
import { runCli } from './program.ts';

/** Everything is stopped by then; do not wait for anything that still keeps the process alive. */
const LINGER_MS = 2_000;

process.exitCode = await runCli(process.argv.slice(2), processIo());
setTimeout(() => process.exit(), LINGER_MS).unref();
