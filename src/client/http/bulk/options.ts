import { z } from 'zod';
import { ReembedError } from '../../../contract/errors.ts';
import { nameSchema } from '../../../contract/indexes.ts';
import { LIMITS } from '../../../contract/limits.ts';
import { onReindexSchema } from '../../../contract/tasks.ts';
import type { BulkReport } from './report.ts';

/** What a batch's JSON holds beside its items. */
const ENVELOPE_BYTES = 1_024;

/** Longest time of a timer in JavaScript; a longer one would fire at once. */
const TIMER_MS = 2 ** 31 - 1;

const optionsSchema = z.object({
  index: nameSchema,
  onReindex: onReindexSchema.optional(),
  batchItems: z.int().min(1).max(LIMITS.itemsPerCall).default(5_000),
  batchBytes: z
    .int()
    .min(1)
    .max(LIMITS.bodyBytes - ENVELOPE_BYTES)
    .default(8 * 1024 * 1024),
  flushIntervalMs: z.int().min(1).max(TIMER_MS).default(1_000),
  concurrency: z.int().min(1).max(64).default(4),
  wait: z.boolean().default(true),
  retries: z.int().min(0).max(1_000).default(10),
});

export interface BulkOptions {
  /** Name of an index or an alias. */
  index: string;
  /** What a batch does when the index is being rebuilt; `forward` if not given. */
  onReindex?: z.input<typeof onReindexSchema>;
  /** Operations of one batch at most: 5,000. */
  batchItems?: number;
  /** UTF-8 bytes of a batch's items as JSON at most, unless one item alone has more: 8 MiB. */
  batchBytes?: number;
  /** A batch that is not full is sent after this time: 1,000 ms. */
  flushIntervalMs?: number;
  /** Batches sent at once: 4. */
  concurrency?: number;
  /** True, the default: an operation is reported at the end of its task; false: once the API has accepted it. */
  wait?: boolean;
  /** How often a batch is sent again when the API cannot be reached or asks to slow down: 10 times, some three minutes. */
  retries?: number;
  /**
   * Told what became of each operation. A batch counts as in flight until its promises are kept, so they must not wait
   * for this bulk itself. What it throws stops everything.
   */
  onReport?: (report: BulkReport) => void | Promise<void>;
  /** Stops everything: what has not been reported by then may have been written or not. */
  signal?: AbortSignal;
}

export type CheckedOptions = z.output<typeof optionsSchema>;

/** The options with their defaults. Error: `InvalidInput` naming each bad one. */
export function checkOptions(options: BulkOptions): CheckedOptions {
  const parsed = optionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new ReembedError('InvalidInput', text, { issues, cause: parsed.error });
}
