const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_U = 0x75;

/**
 * Finds the ends of strings, from left to right. Results of native searches are kept, so that no byte is searched twice
 * for the same character.
 */
export class TextEnds {
  private readonly bytes: Uint8Array;
  private quote = -1;
  private escape = -1;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Returns the offset after a string, or the end of the text; negative for an escaped lone surrogate. */
  after(start: number): number {
    const { bytes } = this;
    let at = start + 1;
    // Most strings, and ranges between escapes, are short: a loop is faster than two searches.
    for (let plain = 0; at < bytes.length; ) {
      const byte = bytes[at];
      if (byte === QUOTE) return at + 1;
      if (byte === BACKSLASH) {
        at = afterEscape(bytes, at);
        if (at < 0) return -1;
        plain = 0;
      } else if (plain < SHORT_TEXT) {
        at += 1;
        plain += 1;
      } else at = this.nextMark(at);
    }
    return bytes.length;
  }

  /** Returns the offset of the next quote or escape. */
  private nextMark(at: number): number {
    if (this.quote < at) this.quote = next(this.bytes, QUOTE, at);
    if (this.escape < at) this.escape = next(this.bytes, BACKSLASH, at);
    return Math.min(this.quote, this.escape);
  }
}

const SHORT_TEXT = 24;

/** Node's own search is several times faster than that of typed arrays, which browsers have. */
const indexOf: typeof Uint8Array.prototype.indexOf =
  globalThis.Buffer?.prototype.indexOf ?? Uint8Array.prototype.indexOf;

function next(bytes: Uint8Array, byte: number, from: number): number {
  const at = indexOf.call(bytes, byte, from);
  return at < 0 ? bytes.length : at;
}

/** Returns the offset after an escape; negative for a lone surrogate. */
function afterEscape(bytes: Uint8Array, at: number): number {
  if (bytes[at + 1] !== LOWER_U) return at + 2;
  const unit = unitAt(bytes, at);
  if (unit >= 0xdc00 && unit <= 0xdfff) return -1;
  if (!(unit >= 0xd800 && unit < 0xdc00)) return at + 6;
  const low = bytes[at + 6] === BACKSLASH && bytes[at + 7] === LOWER_U ? unitAt(bytes, at + 6) : 0;
  return low >= 0xdc00 && low <= 0xdfff ? at + 12 : -1;
}

/** Returns the UTF-16 unit of an escape; NaN if it is not valid, which the parser reports. */
function unitAt(bytes: Uint8Array, at: number): number {
  let unit = 0;
  for (let digit = at + 2; digit < at + 6; digit++) unit = unit * 16 + hexValue(bytes[digit]);
  return unit;
}

function hexValue(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : Number.NaN;
}

/** Reads at most 1,001 characters: longer numbers are refused. */
export function asciiOf(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < Math.min(to, from + 1_001); at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}
