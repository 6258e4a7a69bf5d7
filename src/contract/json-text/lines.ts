import { type FieldIssue, ReembedError } from '../errors.ts';
import { withoutMark } from './parse.ts';

const NEWLINE = 0x0a;

export interface Line {
  /** Line number from 1, counting empty lines. */
  number: number;
  bytes: Uint8Array;
}

/**
 * Yields the non-empty lines of a stream one at a time. Nothing is read while the caller processes a line, so a stream
 * needs only the memory of its longest line. `onPiece` is awaited after each piece of the stream, with the length of the
 * unfinished line. A leading byte order mark is skipped. Error:
 * `InvalidInput` for a line of more than `maxBytes`.
 */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  onPiece?: (lineBytes: number) => Promise<void>,
): AsyncGenerator<Line> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  const take = (piece: Uint8Array) => {
    length += piece.length;
    if (length > maxBytes) throw lineError(number, [{ path: '', message: `at most ${maxBytes} bytes` }]);
    pieces.push(piece);
  };
  const line = (): Line | undefined => {
    const joined = joinBytes(pieces);
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
    await onPiece?.(length);
  }
  const last = line();
  if (last) yield last;
}

/** Joins byte arrays; a single piece is returned as is. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array()] = pieces;
  if (pieces.length < 2) return first;
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Whether the bytes are only JSON white space. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}

/** Returns the error of a line, with an issue for each field. */
export function lineError(number: number, issues: readonly FieldIssue[]): ReembedError {
  const named = issues.map(({ path, message }) => ({ path: `line ${number}${path && `.${path}`}`, message }));
  const [first] = named;
  return new ReembedError('InvalidInput', first ? `${first.path}: ${first.message}` : `line ${number} is not valid`, {
    issues: named,
  });
}
