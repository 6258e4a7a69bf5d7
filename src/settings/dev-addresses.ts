import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { readSetting } from './read.ts';

const FILE = 'addresses.json';

const addressesSchema = z.object({
  pid: z.int(),
  api: z.string(),
  temporal: z.string(),
  namespace: z.string(),
  taskQueue: z.string(),
});
/** Addresses of a running `dev`, for clients on the same machine. */
export type LeftAddresses = z.output<typeof addressesSchema>;

/** Writes the addresses to the data directory; the returned function removes them. */
export async function leaveAddresses(
  dataDir: string,
  addresses: Omit<LeftAddresses, 'pid'>,
): Promise<() => Promise<void>> {
  const file = path.join(dataDir, FILE);
  const draft = `${file}.draft`;
  // Written to a draft and renamed, so that nobody reads a partial file.
  await writeFile(draft, `${JSON.stringify({ pid: process.pid, ...addresses }, null, 2)}\n`);
  await rename(draft, file);
  return () => rm(file, { force: true });
}

/** Returns the addresses of the `dev` that runs in the configured data directory; undefined if none runs. */
export function findAddresses(env: NodeJS.ProcessEnv): LeftAddresses | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(readSetting('dataDir', env), FILE), 'utf8');
  } catch {
    return undefined;
  }
  const parsed = addressesSchema.safeParse(parse(text));
  return parsed.success && lives(parsed.data.pid) ? parsed.data : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns whether the process still runs; a killed `dev` leaves its file behind. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
