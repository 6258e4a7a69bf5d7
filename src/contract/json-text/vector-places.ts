/** Keys and `*` for array elements, from the top of a JSON text to its vectors: `['parts', '*', 'vector']`. */
export type VectorPath = readonly string[];

/** Tells whether a scan of JSON is within a vector at a path. Keys with escapes do not count. */
export class VectorPlaces {
  isInside = false;
  private readonly bytes: Uint8Array;
  private readonly path: VectorPath;
  /** The open containers, down to one level below the path: the last key of an object, null for an array. */
  private readonly open: (string | null)[] = [];
  private level = 0;
  private text = { from: 0, to: 0 };

  constructor(bytes: Uint8Array, path: VectorPath) {
    this.bytes = bytes;
    this.path = path;
  }

  /** Notes a string, which is a key if a colon follows. */
  passText(from: number, to: number): void {
    this.text = { from, to };
  }

  passColon(): void {
    if (this.level > this.path.length) return;
    const { from, to } = this.text;
    // Longer keys are not on the path.
    const isShort = to - from <= MAX_KEY_BYTES;
    this.open[this.level - 1] = isShort ? latin1(this.bytes, from + 1, to - 1) : '';
  }

  passOpening(isArray: boolean): void {
    this.isInside ||= isArray && this.level === this.path.length && this.isOnPath();
    this.open[this.level] = isArray ? null : '';
    this.level += 1;
  }

  passClosing(): void {
    this.level -= 1;
    if (this.level <= this.path.length) this.isInside = false;
  }

  private isOnPath(): boolean {
    return this.path.every((step, at) => this.open[at] === (step === '*' ? null : step));
  }
}

const MAX_KEY_BYTES = 16;

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
