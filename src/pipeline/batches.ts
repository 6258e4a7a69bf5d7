/** The limits of one call of an embedder. */
export interface BatchLimits {
  maxTexts: number;
  maxChars: number;
}

/**
 * Cuts entries, in order, into as few batches as go within the limits when each is filled before the next is begun. A
 * text with more than `maxChars` characters goes alone.
 */
export function batchesOf<T extends { text: string }>(entries: readonly T[], limits: BatchLimits): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let chars = 0;
  for (const entry of entries) {
    const isFull = batch.length >= limits.maxTexts || chars + entry.text.length > limits.maxChars;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
      chars = 0;
    }
    batch.push(entry);
    chars += entry.text.length;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
