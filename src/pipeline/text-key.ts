import { hash } from 'node:crypto';
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
  const before = `${VECTOR_VERSION} ${vectorSpaceOf(model)}\n`;
  return (text) => {
    const key = hash('sha256', before + text, 'hex');
    const [a, b, c, d] = [key.slice(0, 8), key.slice(8, 12), key.slice(12, 16), key.slice(16, 20)];
    return `${a}-${b}-${c}-${d}-${key.slice(20, 2 * KEY_BYTES)}`;
  };
}
