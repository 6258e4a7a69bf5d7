const TOKEN = /[\p{L}\p{M}\p{N}]+/gu;

/**
 * The words of a text in order: runs of letters, marks and digits of any script, after NFKC and lower-casing.
 *
 * Frozen: `hash-v1` and `glove-100d-30k` both read texts through it, and vectors already stored must stay comparable.
 */
export function tokens(text: string): string[] {
  return text.normalize('NFKC').toLowerCase().match(TOKEN) ?? [];
}
