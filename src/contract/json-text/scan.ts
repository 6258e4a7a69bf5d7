import type { JsonLimits } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { JsonTextError } from './error.ts';
import { MAX_PLAIN_CHARS, numberProblem } from './numbers.ts';
import { pathAt } from './places.ts';
import { asciiOf, TextEnds } from './text-ends.ts';
import { type VectorPath, VectorPlaces } from './vector-places.ts';

const TOO_MANY_NUMBERS = `must not have more than ${LIMITS.vectorNumbersPerItem} numbers in its vectors`;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Scans JSON text before it is parsed, in one pass over its bytes: counts what parsing would allocate, and finds
 * what parsing would change silently. It does not check the syntax; the parser does.
 */
export class JsonScan {
  /** Fields of all objects, as written; fewer after parsing means a duplicate. */
  fields = 0;
  private readonly bytes: Uint8Array;
  private readonly limits: JsonLimits;
  private readonly vectors: VectorPlaces | undefined;
  private values = 0;
  private vectorNumbers = 0;
  private level = 0;
  private readonly ends: TextEnds;

  /** Numbers of vectors at `vectors` are rounded to the nearest double, and have a limit of their own. */
  constructor(bytes: Uint8Array, limits: JsonLimits, vectors?: VectorPath) {
    this.bytes = bytes;
    this.limits = limits;
    this.vectors = vectors && new VectorPlaces(bytes, vectors);
    this.ends = new TextEnds(bytes);
  }

  /** @throws JsonTextError for the first problem */
  run(): void {
    const { bytes, vectors } = this;
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        const close = this.ends.after(at);
        if (close < 0) this.fail(at, 'must be well-formed Unicode');
        vectors?.passText(at, close);
        at = close;
      } else if (byte === COLON) {
        this.fields += 1;
        vectors?.passColon();
        at += 1;
      } else if (byte === COMMA && vectors?.isInside) {
        this.vectorNumbers += 1;
        if (this.vectorNumbers > LIMITS.vectorNumbersPerItem) this.fail(at, TOO_MANY_NUMBERS);
        at += 1;
      } else if (byte === COMMA || byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
        if (byte !== COMMA) this.open(byte === OPEN_ARRAY, at);
        this.count(at);
        at += 1;
      } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
        this.level -= 1;
        vectors?.passClosing();
        at += 1;
      } else if (byte === MINUS || isDigit(byte)) {
        const from = at;
        const next = endOfNumber(bytes, at);
        at = Math.abs(next);
        if (next >= 0 && at - from <= MAX_PLAIN_CHARS) continue;
        const message = numberProblem(asciiOf(bytes, from, at));
        if (message !== undefined && !vectors?.isInside) this.fail(from, message);
      } else at += 1;
    }
  }

  private open(isArray: boolean, at: number): void {
    this.level += 1;
    this.vectors?.passOpening(isArray);
    const { levels } = this.limits;
    if (this.level > levels) this.fail(at, `must not be nested deeper than ${levels} levels`);
  }

  private count(at: number): void {
    this.values += 1;
    const { values } = this.limits;
    if (this.values > values) this.fail(at, `must not have more than ${values} elements and fields`);
  }

  private fail(at: number, message: string): never {
    throw new JsonTextError(message, { path: pathAt(this.bytes, at) });
  }
}

/** Returns the offset after a number; negative if it has an exponent. */
function endOfNumber(bytes: Uint8Array, start: number): number {
  let hasExponent = false;
  let at = start + 1;
  for (; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (isDigit(byte) || byte === 0x2e || byte === 0x2b || byte === MINUS) continue;
    if (byte !== 0x65 && byte !== 0x45) break;
    hasExponent = true;
  }
  return hasExponent ? -at : at;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
