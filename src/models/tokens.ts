import { eachInTurn } from '../cpu/pace.ts';

const TOKEN = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * Returns the words of a text in order: runs of letters, marks and digits of any script, after NFKC and lowercasing.
 *
 * Frozen: `hash-v1` and `glove-100d-30k` both depend on it, and stored vectors must stay comparable.
 */
export function tokens(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(TOKEN) ?? [];
}

/** Counts the words of each text. */
export async function countWords(texts: readonly string[]): Promise<number[]> {
  return eachInTurn(texts, (text) => tokens(text).length);
}
