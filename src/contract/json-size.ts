import { jsonBytes } from './json.ts';

/**
 * Returns whether a JSON value has more than this many bytes as UTF-8 text, as `JSON.stringify` writes it. Makes no text,
 * which would be a copy of many megabytes, and ends when the answer is known.
 */
export function isLongerJson(value: unknown, maxBytes: number): boolean {
  // Most values are so small that they fit whatever their characters are.
  if (jsonBytes(value) * MAX_UNIT_BYTES <= maxBytes) return false;
  return new Counter(maxBytes).add(value) > maxBytes;
}

/** Bytes of a control character, which is escaped; no number has more digits than four times this. */
const MAX_UNIT_BYTES = 6;

class Counter {
  private bytes = 0;
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Adds a value and returns the bytes so far; what is above the maximum is not counted further. */
  add(value: unknown): number {
    if (this.bytes > this.maxBytes) return this.bytes;
    if (typeof value === 'string') this.addText(value);
    else if (Array.isArray(value)) this.addArray(value);
    else if (typeof value === 'object' && value !== null) this.addObject(value as Record<string, unknown>);
    else this.bytes += (JSON.stringify(value) ?? 'null').length;
    return this.bytes;
  }

  private addArray(values: readonly unknown[]): void {
    this.bytes += 2 + Math.max(0, values.length - 1);
    for (const value of values) this.add(value);
  }

  private addObject(members: Record<string, unknown>): void {
    let count = 0;
    for (const key of Object.keys(members)) {
      const value = members[key];
      if (value === undefined) continue;
      this.addText(key);
      this.bytes += count++ === 0 ? 1 : 2; // a colon, and a comma between two fields
      this.add(value);
    }
    this.bytes += 2;
  }

  private addText(text: string): void {
    this.bytes += 2;
    for (let from = 0; from < text.length && this.bytes <= this.maxBytes; from += PIECE_CHARS) {
      const { written } = encoder.encodeInto(text.slice(from, from + PIECE_CHARS), piece);
      let bytes = written;
      for (let at = 0; at < written; at++) bytes += EXTRA_BYTES[piece[at] as number] as number;
      // Of a surrogate pair that is cut, each half is encoded as a replacement character of three bytes.
      if (isCutPair(text, from + PIECE_CHARS)) bytes -= 2;
      this.bytes += bytes;
    }
  }
}

const PIECE_CHARS = 64 * 1024;
const encoder = new TextEncoder();
const piece = new Uint8Array(PIECE_CHARS * 3);

/** Bytes that an escape adds to the character that it stands for. */
const EXTRA_BYTES = new Uint8Array(256);
EXTRA_BYTES.fill(5, 0, 0x20);
for (const char of '\b\t\n\f\r"\\') EXTRA_BYTES[char.charCodeAt(0)] = 1;

function isCutPair(text: string, at: number): boolean {
  return at < text.length && (text.codePointAt(at - 1) as number) > 0xffff;
}
