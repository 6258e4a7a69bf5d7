/** An item of a write whose JSON is already made. Large items are encoded in a thread. */
export class EncodedItem {
  readonly id: string;
  readonly version: number | undefined;
  /** Dimensions of its ready vectors, if it has any. */
  readonly dimensions: number | undefined;
  /** UTF-8. */
  readonly json: Uint8Array;
  /** SHA-256 of its canonical JSON. */
  readonly sha: Uint8Array;

  constructor({ id, version, dimensions, json, sha }: EncodedItem) {
    this.id = id;
    this.version = version;
    this.dimensions = dimensions;
    this.json = json;
    this.sha = sha;
  }
}
