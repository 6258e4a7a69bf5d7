import { type FieldIssue, ReembedError } from '../../contract/errors.ts';

const NEWLINE = 0x0a;

export interface Line {
  /** Counted from 1, empty ones too. */
  number: number;
  text: string;
  bytes: number;
}

/**
 * The lines of a stream that are not empty, one at a time: nothing is read while the caller is busy with one, so any
 * length needs the memory of the longest line only. Errors: `InvalidInput` for a line of more than `mostBytes` or one
 * that is no UTF-8.
 */
export async function* readLines(body: ReadableStream<Uint8Array>, mostBytes: number): AsyncGenerator<Line> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let number = 1;
  const take = (piece: Uint8Array) => {
    bytes += piece.length;
    if (bytes > mostBytes) throw lineError(number, [{ path: '', message: `at most ${mostBytes} bytes` }]);
    pieces.push(piece);
  };
  const line = (): Line | undefined => {
    const [piece = new Uint8Array()] = pieces;
    const text = decode(pieces.length > 1 ? Buffer.concat(pieces) : piece, number).trim();
    const whole = { number, text, bytes };
    pieces = [];
    bytes = 0;
    number += 1;
    return text === '' ? undefined : whole;
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

const decoder = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array, number: number): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw lineError(number, [{ path: '', message: 'is not UTF-8' }]);
  }
}

/** What is wrong with a line, each field under its name. */
export function lineError(number: number, issues: readonly FieldIssue[]): ReembedError {
  const named = issues.map(({ path, message }) => ({ path: `line ${number}${path && `.${path}`}`, message }));
  const [first] = named;
  return new ReembedError('InvalidInput', first ? `${first.path}: ${first.message}` : `line ${number} is not valid`, {
    issues: named,
  });
}
