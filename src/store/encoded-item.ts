/** An item of a write whose JSON is already made. Large items are encoded in a thread. */
export class EncodedItem {
  readonly id: string;
  readonly version: number | undefined;
  /** UTF-8. */
  readonly json: Uint8Array;
  /** SHA-256 of its canonical JSON. */
  readonly sha: Uint8Array;

  constructor({ id, version, json, sha }: Pick<EncodedItem, 'id' | 'version' | 'json' | 'sha'>) {
    this.id = id;
    this.version = version;
    this.json = json;
    this.sha = sha;
  }
}
