import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../contract/errors.ts';
import type { ExportedObject } from '../contract/export.ts';
import { UsageError } from './errors.ts';

/** A file that an export is written to. */
export interface ExportTarget {
  /** The last object that it has already. */
  after: string | undefined;
  /** Whether it has all objects already. */
  isWhole: boolean;
  write(objects: AsyncIterable<ExportedObject>): Promise<void>;
}

/**
 * Opens a new file for lines or, to continue, an existing one: a line that broke off is removed from its end.
 * @throws UsageError if the file cannot be written, is there already, or does not end with an exported object
 */
export async function openLines(file: string, { isContinued }: { isContinued: boolean }): Promise<ExportTarget> {
  const handle = await openToWrite(file, { isContinued });
  try {
    const { after, size } = isContinued ? await cutToLastObject(handle, file) : { after: undefined, size: 0 };
    return {
      after,
      isWhole: false,
      // No faster than the disk takes them.
      write: (objects) => pipeline(Readable.from(linesOf(objects)), handle.createWriteStream({ start: size })),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens a new file or, to continue, an existing one. @throws UsageError if it cannot be written or is there already */
export function openToWrite(file: string, { isContinued }: { isContinued: boolean }): Promise<FileHandle> {
  return open(file, isContinued ? 'r+' : 'wx').catch((error: unknown) => {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const hint = isThere ? 'it is there already: --continue appends to it' : messageOf(error);
    throw new UsageError(`${file} cannot be written: ${hint}`, { cause: error });
  });
}

async function* linesOf(objects: AsyncIterable<ExportedObject>): AsyncGenerator<string> {
  for await (const object of objects) yield `${JSON.stringify(object)}\n`;
}

async function cutToLastObject(handle: FileHandle, file: string): Promise<{ after: string | undefined; size: number }> {
  const { size } = await handle.stat();
  const end = await newlineBefore(handle, size);
  if (size === 0) return { after: undefined, size };
  const start = (await newlineBefore(handle, end)) + 1;
  const length = Math.max(0, end - start);
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, start);
  const after = idOf(buffer.toString());
  if (after === undefined) throw new UsageError(`${file} does not end with an exported object: it cannot be continued`);
  await handle.truncate(end + 1);
  return { after, size: end + 1 };
}

function idOf(line: string): string | undefined {
  try {
    const { id } = JSON.parse(line) as { id?: unknown };
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

const STEP_BYTES = 64 * 1024;

/** Returns the offset of the last line feed before `to`, or -1. */
async function newlineBefore(handle: FileHandle, to: number): Promise<number> {
  for (let until = to; until > 0; until -= STEP_BYTES) {
    const from = Math.max(0, until - STEP_BYTES);
    const { buffer } = await handle.read(Buffer.alloc(until - from), 0, until - from, from);
    const at = buffer.lastIndexOf(0x0a);
    if (at >= 0) return from + at;
  }
  return -1;
}
