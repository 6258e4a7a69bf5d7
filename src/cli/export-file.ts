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

export interface OpenOptions {
  /** The name of an index, not of an alias. */
  index: string;
  /** When it was created: another index may have its name by now. */
  createTime: string;
  isContinued: boolean;
}

/**
 * Opens a new file for lines or, to continue, an existing one: a line that broke off is removed from its end.
 * @throws UsageError if the file cannot be written, is there already, does not end with an exported object, or is of another
 * index
 */
export async function openLines(file: string, options: OpenOptions): Promise<ExportTarget> {
  const handle = await openToWrite(file, options);
  try {
    const { after, size } = options.isContinued
      ? await cutToLastObject(handle, file, options)
      : { after: undefined, size: 0 };
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
export function openToWrite(file: string, { isContinued }: Pick<OpenOptions, 'isContinued'>): Promise<FileHandle> {
  return open(file, isContinued ? 'r+' : 'wx').catch((error: unknown) => {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const hint = isThere ? 'it is there already: --continue appends to it' : messageOf(error);
    throw new UsageError(`${file} cannot be written: ${hint}`, { cause: error });
  });
}

async function* linesOf(objects: AsyncIterable<ExportedObject>): AsyncGenerator<string> {
  for await (const object of objects) yield `${JSON.stringify(object)}\n`;
}

/** Refuses to continue the export of an index that has only the name of this one. */
export function requireSameIndex(file: string, begun: unknown, { index, createTime }: OpenOptions): void {
  if (begun === createTime) return;
  const since =
    typeof begun === 'string' ? `was begun with an index created at ${begun}` : 'does not say with which index';
  throw new UsageError(
    `${file} cannot be continued: it ${since}, and ${index} was created at ${createTime}; begin the export again`,
  );
}

async function cutToLastObject(
  handle: FileHandle,
  file: string,
  options: OpenOptions,
): Promise<{ after: string | undefined; size: number }> {
  const { size } = await handle.stat();
  const end = await newlineBefore(handle, size);
  if (size === 0) return { after: undefined, size };
  const start = (await newlineBefore(handle, end)) + 1;
  const length = Math.max(0, end - start);
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, start);
  const { id: after, indexCreateTime } = objectOf(buffer.toString());
  if (typeof after !== 'string') {
    throw new UsageError(`${file} does not end with an exported object: it cannot be continued`);
  }
  requireSameIndex(file, indexCreateTime, options);
  await handle.truncate(end + 1);
  return { after, size: end + 1 };
}

function objectOf(line: string): { id?: unknown; indexCreateTime?: unknown } {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
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
