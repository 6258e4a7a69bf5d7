import type { Hold } from '../../cpu/byte-budget.ts';
import { storedPayloads } from '../../pipeline/payload-memory.ts';
import { MAX_READ_BYTES } from '../../store/read-size.ts';

/** Max weight of items that never wait for memory. */
const SMALL_BYTES = 256 * 1024;

/**
 * Takes memory for items of this weight in bytes, at most that of one read. Small items never wait for it: large ones may
 * hold it for as long as their model takes. Rejects if the signal aborts.
 */
export async function holdItems(bytes: number, signal: AbortSignal): Promise<Hold> {
  if (bytes <= SMALL_BYTES) return storedPayloads.count(bytes);
  return storedPayloads.hold(Math.min(bytes, MAX_READ_BYTES), { signal });
}
