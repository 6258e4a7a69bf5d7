import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ModelCheck } from './checks.ts';

const run = promisify(execFile);
const MODEL = fileURLToPath(new URL('./protocol.pml', import.meta.url));
const MAX_MEMORY_MB = 6_000;
const MAX_DEPTH = 200_000;

export interface ModelResult {
  /** `none`: every state was visited and no invariant was violated. */
  found: 'none' | 'violation';
  states: number;
  seconds: number;
  /** The steps to the violation, as SPIN prints them. */
  trail: string | null;
}

/** Returns the tool that is missing to run the checker, or null. */
export async function missingTool(): Promise<string | null> {
  for (const [tool, flag] of [
    ['spin', '-V'],
    ['gcc', '--version'],
  ] as const) {
    try {
      await run(tool, [flag]);
    } catch {
      return tool;
    }
  }
  return null;
}

/** Visits every state of the model. Throws if the checker itself fails or runs out of memory or depth. */
export async function runCheck(check: ModelCheck): Promise<ModelResult> {
  const folder = await mkdtemp(join(tmpdir(), 'reembed-model-'));
  const startedMs = Date.now();
  const defines = Object.entries(check.defines).map(([macro, value]) => `-D${macro}=${value}`);
  try {
    await run('spin', [...defines, '-a', MODEL], { cwd: folder });
    // `-w` silences warnings about the generated code. A violation is found after few states, so an optimized build
    // would take longer than the search.
    const flags = [
      '-w',
      check.expects === 'none' ? '-O2' : '-O0',
      '-DSAFETY',
      '-DCOLLAPSE',
      `-DMEMLIM=${MAX_MEMORY_MB}`,
    ];
    await run('gcc', [...flags, '-o', 'pan', 'pan.c'], { cwd: folder });
    const { stdout } = await run(join(folder, 'pan'), [`-m${MAX_DEPTH}`, '-w24'], { cwd: folder, maxBuffer: 2 ** 26 });
    const errors = readNumber(stdout, /errors: (\d+)/);
    const isComplete = !/error: max search depth too small|out of memory|Search not completed/.test(stdout);
    if (errors === 0 && !isComplete) throw new Error(`the search was not completed:\n${stdout.slice(-2_000)}`);
    return {
      found: errors === 0 ? 'none' : 'violation',
      states: readNumber(stdout, /(\d+) states, stored/),
      seconds: (Date.now() - startedMs) / 1_000,
      trail: errors === 0 ? null : await readTrail(folder, defines),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readTrail(folder: string, defines: readonly string[]): Promise<string> {
  const { stdout } = await run('spin', [...defines, '-t', '-p', '-g', '-k', 'protocol.pml.trail', MODEL], {
    cwd: folder,
    maxBuffer: 2 ** 26,
  });
  return stdout;
}

function readNumber(text: string, pattern: RegExp): number {
  const found = pattern.exec(text);
  if (!found) throw new Error(`the checker's answer has no ${pattern}:\n${text.slice(-2_000)}`);
  return Number(found[1]);
}
