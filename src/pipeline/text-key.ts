import { createHash } from 'node:crypto';
import type { ModelConfig } from '../contract/models.ts';
import { vectorSpaceOf } from '../contract/vector-space.ts';

/** Raise it when the same model and text give another vector than before: then no stored vector is taken over. */
const VECTOR_VERSION = 1;
const KEY_BYTES = 16;

/**
 * Creates a function that returns the key of a text's vector: equal keys stand for the same text and for models that
 * have the same vectors of documents. It is half a SHA-256, in the form of a UUID.
 */
export function textKeysOf(model: ModelConfig): (text: string) => string {
  const before = createHash('sha256').update(`${VECTOR_VERSION} ${vectorSpaceOf(model)}\n`);
  return (text) => {
    const key = before
      .copy()
      .update(text)
      .digest('hex')
      .slice(0, 2 * KEY_BYTES);
    return key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
}
