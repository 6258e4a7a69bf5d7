import { invalidField } from '../../contract/errors.ts';
import { TextEnds } from '../../contract/json-text/text-ends.ts';
import { LIMITS } from '../../contract/limits.ts';

/** A large body split so that its items can be read one at a time. */
export interface CutBody {
  /** The body with a `0` in place of each item. The body is valid JSON if this and each item are. */
  head: Uint8Array;
  items: Uint8Array[];
}

/**
 * Cuts the elements out of the array `field` at the top of a JSON text, without parsing it. Error: `InvalidInput` for
 * more items or more values than a call may have.
 */
export function cutItems(bytes: Uint8Array, field: string): CutBody {
  const cutter = new Cutter(bytes, field);
  cutter.run();
  return cutter.cut();
}

class Cutter {
  private readonly bytes: Uint8Array;
  private readonly field: string;
  private readonly items: Uint8Array[] = [];
  private readonly head: Uint8Array[] = [];
  private readonly ends: TextEnds;
  /** Position after the last item, or the start; what follows is not in `head` yet. */
  private headFrom = 0;
  private at = 0;
  private level = 0;
  private values = 0;
  /** Range of the last string at the top level; it is a key if a colon follows. */
  private lastText = { from: 0, to: 0 };
  private isInField = false;
  /** Start of the current item; -1 outside the array. */
  private itemFrom = -1;

  constructor(bytes: Uint8Array, field: string) {
    this.bytes = bytes;
    this.field = field;
    this.ends = new TextEnds(bytes);
  }

  run(): void {
    const { bytes } = this;
    while (this.at < bytes.length) {
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
    // A lone surrogate does not end a string: parsing the item finds it again and names it.
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

  /** Adds no placeholder for a missing item: the head is then invalid JSON, as the body is. */
  private addItem(): void {
    let [from, to] = [this.itemFrom, this.at];
    while (from < to && isSpace(this.bytes[from])) from += 1;
    while (to > from && isSpace(this.bytes[to - 1])) to -= 1;
    if (from === to) return;
    this.items.push(this.bytes.subarray(from, to));
    if (this.items.length > LIMITS.itemsPerCall) {
      throw invalidField(this.field, `at most ${LIMITS.itemsPerCall}: send more as application/x-ndjson`);
    }
    this.head.push(this.bytes.subarray(this.headFrom, from), ZERO);
    this.headFrom = to;
  }

  private count(): void {
    this.values += 1;
    if (this.values > LIMITS.bodyValues) {
      throw invalidField(this.field, `must not have more than ${LIMITS.bodyValues} elements and fields in one body`);
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
