import type { ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { linesOf } from '../client/http/lines.ts';
import { messageOf } from '../contract/errors.ts';
import { UsageError } from './errors.ts';
import type { Io } from './output.ts';

/**
 * Opens a file, or the standard input for `-`, and gives its JSON values: one to a line (NDJSON), read as they are asked
 * for, or one array of them. `onRead` is told how many bytes of how many have been read, of a file. @throws UsageError if it
 * cannot be opened, and while reading with the line that is not JSON.
 */
export async function readItems(
  file: string,
  io: Io,
  onRead: (bytes: number, all: number) => void = () => {},
): Promise<AsyncGenerator<unknown>> {
  // Now, not with the first value: a request that has begun by then may fail first, and with another error.
  if (file === '-') return valuesOf(io.stdin as Readable, 'the standard input');
  const { stream, bytes } = await openFile(file);
  return valuesOf(stream, file, () => onRead(stream.bytesRead, bytes));
}

async function* valuesOf(stream: Readable, name: string, onLine: () => void = () => {}): AsyncGenerator<unknown> {
  // The client's reader of lines: it splits at line feeds alone, while Node's also does within JSON texts.
  const lines = linesOf(new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>));
  let number = 0;
  try {
    for await (const raw of lines) {
      number++;
      onLine();
      const line = (number === 1 ? raw.replace(/^\uFEFF/, '') : raw).trim();
      if (line === '') continue;
      if (line.startsWith('[')) {
        yield* await readArray(line, lines, name);
        return;
      }
      yield parse(line, `${name}, line ${number}`);
    }
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(`${name} is not UTF-8 (after line ${number})`, { cause: error });
    throw error;
  }
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

async function readArray(first: string, rest: AsyncIterable<string>, name: string): Promise<unknown[]> {
  const lines = [first];
  for await (const line of rest) lines.push(line);
  const values = parse(lines.join('\n'), name);
  if (!Array.isArray(values)) throw new UsageError(`${name} is neither a JSON array nor one JSON object to a line`);
  return values;
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${where}: ${messageOf(error)}`, { cause: error });
  }
}
