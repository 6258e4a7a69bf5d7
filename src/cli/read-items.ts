import type { ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { messageOf } from '../contract/errors.ts';
import { fieldPath, JsonTextError } from '../contract/json-text/error.ts';
import { joinBytes, type Line, readLines } from '../contract/json-text/lines.ts';
import { type ParseOptions, parseJsonText, TEXT_LIMITS } from '../contract/json-text/parse.ts';
import { UsageError } from './errors.ts';
import type { Io } from './output.ts';

/**
 * Opens a file, or the standard input for `-`, and yields its JSON values: one per line (NDJSON), read on demand,
 * or one array of them. `onRead` receives the bytes read and the size of a file. @throws UsageError if it
 * cannot be opened, and while reading, with the line number, if a line is not valid JSON.
 */
export async function readItems(
  file: string,
  io: Io,
  onRead: (bytes: number, all: number) => void = () => {},
): Promise<AsyncGenerator<unknown>> {
  // Open now, not at the first value: a request that has started by then may fail first, with another error.
  if (file === '-') return valuesOf(io.stdin as Readable, 'the standard input');
  const { stream, bytes } = await openFile(file);
  return valuesOf(stream, file, () => onRead(stream.bytesRead, bytes));
}

/** Where the vectors of an item are. */
const VECTORS = ['parts', '*', 'vector'];

async function* valuesOf(stream: Readable, name: string, onLine: () => void = () => {}): AsyncGenerator<unknown> {
  const lines = readLines(stream, Number.POSITIVE_INFINITY);
  let isFirst = true;
  for await (const line of lines) {
    onLine();
    if (isFirst && isArray(line)) {
      yield* await readArray(line, lines, name);
      return;
    }
    isFirst = false;
    yield parse(line.bytes, `${name}, line ${line.number}`, { vectors: VECTORS });
  }
}

function isArray({ bytes }: Line): boolean {
  const first = bytes.find((byte) => byte !== 0x20 && byte !== 0x09);
  return first === 0x5b;
}

async function openFile(file: string): Promise<{ stream: ReadStream; bytes: number }> {
  try {
    const handle = await open(file);
    const status = await handle.stat();
    if (status.isDirectory()) {
      await handle.close();
      throw new Error('it is a folder');
    }
    return { stream: handle.createReadStream(), bytes: status.size };
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function readArray(first: Line, rest: AsyncIterable<Line>, name: string): Promise<unknown[]> {
  const newline = Uint8Array.of(0x0a);
  const pieces = [first.bytes];
  for await (const line of rest) pieces.push(newline, line.bytes);
  const limits = { ...TEXT_LIMITS, values: Number.POSITIVE_INFINITY };
  const values = parse(joinBytes(pieces), name, { limits, vectors: ['*', ...VECTORS] });
  if (!Array.isArray(values)) throw new UsageError(`${name} is neither a JSON array nor one JSON object per line`);
  return values;
}

function parse(bytes: Uint8Array, where: string, options?: ParseOptions): unknown {
  try {
    return parseJsonText(bytes, options);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const field = error.path.length > 0 ? ` ${fieldPath(error.path)}` : '';
    const cause = error.text === undefined ? '' : ` (${messageOf(error.cause)})`;
    throw new UsageError(`${where}:${field} ${error.message}${cause}`, { cause: error });
  }
}
