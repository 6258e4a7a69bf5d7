/**
 * A low estimate, so that too many tokens are counted: English has some four bytes per token, others rarely below
 * three.
 */
export const BYTES_PER_TOKEN = 3;

/** Estimates the tokens of texts, since only the provider knows how it counts them. */
export function estimateTokens(texts: readonly string[]): number {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}
