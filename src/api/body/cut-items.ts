import { ReembedError } from '../../contract/errors.ts';
import { TextEnds } from '../../contract/json-text/text-ends.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { Pace } from '../../cpu/pace.ts';

/** A large body taken apart, so that its items can be read one at a time. */
export interface CutBody {
  /** The body with a `0` in place of each item. Its grammar, and that of each item, is that of the body. */
  head: Uint8Array;
  items: Uint8Array[];
}

const PIECE_BYTES = 1024 * 1024;

/**
 * Cuts the elements out of the array `field` at the top of a JSON text, without parsing it. Error: `InvalidInput` for
 * more items or more values than a call may have.
 */
export async function cutItems(bytes: Uint8Array, field: string, pace: Pace): Promise<CutBody> {
  const cutter = new Cutter(bytes, field);
  while (!cutter.isAtEnd) {
    cutter.run(PIECE_BYTES);
    await pace.breathe();
  }
  return cutter.cut();
}

class Cutter {
  private readonly bytes: Uint8Array;
  private readonly field: string;
  private readonly items: Uint8Array[] = [];
  private readonly head: Uint8Array[] = [];
  private readonly ends: TextEnds;
  /** What follows the last item, or the start, is not in `head` yet. */
  private headFrom = 0;
  private at = 0;
  private level = 0;
  private values = 0;
  /** Of the text at the top that was read last: a key, when a colon follows. */
  private lastText = { from: 0, to: 0 };
  private isInField = false;
  /** Where the item begins that is being read; -1 outside the array. */
  private itemFrom = -1;

  constructor(bytes: Uint8Array, field: string) {
    this.bytes = bytes;
    this.field = field;
    this.ends = new TextEnds(bytes);
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  run(count: number): void {
    const { bytes } = this;
    const end = Math.min(bytes.length, this.at + count);
    while (this.at < end) {
      const byte = bytes[this.at];
      if (byte === 0x22) this.readText();
      else {
        if (byte === 0x5b || byte === 0x7b) this.open(byte === 0x5b);
        else if (byte === 0x5d || byte === 0x7d) this.close();
        else if (byte === 0x2c) this.separate();
        else if (byte === 0x3a && this.level === 1) this.isInField = this.lastKey() === this.field;
        this.at += 1;
      }
    }
  }

  cut(): CutBody {
    return { head: Buffer.concat([...this.head, this.bytes.subarray(this.headFrom)]), items: this.items };
  }

  private readText(): void {
    const end = this.ends.after(this.at);
    if (this.level === 1) this.lastText = { from: this.at, to: end };
    // A lone surrogate ends no text: it is found again, and named, when the item is parsed.
    this.at = end < 0 ? this.bytes.length : end;
  }

  private open(isArray: boolean): void {
    this.level += 1;
    this.count();
    if (this.level === 2 && isArray && this.isInField) this.itemFrom = this.at + 1;
  }

  private close(): void {
    this.level -= 1;
    if (this.level !== 1 || this.itemFrom < 0) return;
    this.addItem();
    this.itemFrom = -1;
    this.isInField = false;
  }

  private separate(): void {
    this.count();
    if (this.level !== 2 || this.itemFrom < 0) return;
    this.addItem();
    this.itemFrom = this.at + 1;
  }

  /** Where there is no item, nothing takes its place, and the head is no JSON, as the body is none. */
  private addItem(): void {
    let [from, to] = [this.itemFrom, this.at];
    while (from < to && isSpace(this.bytes[from])) from += 1;
    while (to > from && isSpace(this.bytes[to - 1])) to -= 1;
    if (from === to) return;
    this.items.push(this.bytes.subarray(from, to));
    if (this.items.length > LIMITS.itemsPerCall) {
      throw tooMany(this.field, `at most ${LIMITS.itemsPerCall}: send more as application/x-ndjson`);
    }
    this.head.push(this.bytes.subarray(this.headFrom, from), ZERO);
    this.headFrom = to;
  }

  private count(): void {
    this.values += 1;
    if (this.values > LIMITS.bodyValues) {
      throw tooMany(this.field, `must not have more than ${LIMITS.bodyValues} elements and fields in one body`);
    }
  }

  private lastKey(): unknown {
    const { from, to } = this.lastText;
    try {
      return JSON.parse(Buffer.from(this.bytes.subarray(from, to)).toString());
    } catch {
      return undefined;
    }
  }
}

const ZERO = Buffer.from('0');

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function tooMany(path: string, message: string): ReembedError {
  return new ReembedError('InvalidInput', `${path}: ${message}`, { issues: [{ path, message }] });
}
