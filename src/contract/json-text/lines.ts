import { type FieldIssue, ReembedError } from '../errors.ts';
import { withoutMark } from './parse.ts';

const NEWLINE = 0x0a;

export interface Line {
  /** Counted from 1, empty ones too. */
  number: number;
  bytes: Uint8Array;
}

/**
 * The lines of a stream that are not empty, one at a time: nothing is read while the caller is busy with one, so any
 * length needs the memory of the longest line only. A byte order mark in front of the first is skipped. Error:
 * `InvalidInput` for a line of more than `maxBytes`.
 */
export async function* readLines(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  const take = (piece: Uint8Array) => {
    length += piece.length;
    if (length > maxBytes) throw lineError(number, [{ path: '', message: `at most ${maxBytes} bytes` }]);
    pieces.push(piece);
  };
  const line = (): Line | undefined => {
    const joined = joinBytes(pieces, length);
    const whole = { number, bytes: number === 1 ? withoutMark(joined) : joined };
    pieces = [];
    length = 0;
    number += 1;
    return isBlank(whole.bytes) ? undefined : whole;
  };
  for await (const chunk of body) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, to));
      from = to + 1;
      const whole = line();
      if (whole) yield whole;
    }
    take(chunk.subarray(from));
  }
  const last = line();
  if (last) yield last;
}

/** One array of bytes; of a single piece, that itself. */
export function joinBytes(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [first = new Uint8Array()] = pieces;
  if (pieces.length < 2) return first;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** True for the white space of JSON alone. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/** What is wrong with a line, each field under its name. */
export function lineError(number: number, issues: readonly FieldIssue[]): ReembedError {
  const named = issues.map(({ path, message }) => ({ path: `line ${number}${path && `.${path}`}`, message }));
  const [first] = named;
  return new ReembedError('InvalidInput', first ? `${first.path}: ${first.message}` : `line ${number} is not valid`, {
    issues: named,
  });
}
