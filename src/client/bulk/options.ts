import { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { nameSchema } from '../../contract/indexes.ts';
import { fieldIssues, issuesText, MAX_ISSUES } from '../../contract/issues.ts';
import { LIMITS } from '../../contract/limits.ts';
import { onReindexSchema } from '../../contract/task-bodies.ts';
import type { BulkReport } from './report.ts';

/** Max. size of a batch's JSON without its items. */
const ENVELOPE_BYTES = 1_024;

/** Max. delay of a JavaScript timer; a longer one would fire immediately. */
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
  /** What a batch does while the index is being rebuilt; default: `forward`. */
  onReindex?: z.input<typeof onReindexSchema>;
  /** Max. operations of one batch; default: 5,000. */
  batchItems?: number;
  /** Max. UTF-8 bytes of a batch's items as JSON; a single item may exceed it. Default: 8 MiB. */
  batchBytes?: number;
  /** Time after which a batch that is not full is sent; default: 1,000 ms. */
  flushIntervalMs?: number;
  /** Max. concurrent batches; default: 4. */
  concurrency?: number;
  /** True: report an operation at the end of its task; false: once the API has accepted it. Default: true. */
  wait?: boolean;
  /** Max. retries of a batch when the API is unreachable or asks to slow down; default: 10, about three minutes. */
  retries?: number;
  /**
   * Called with the outcome of each operation. A batch counts as in flight until its promises resolve, so they must not
   * wait for this bulk itself. An error that it throws stops everything.
   */
  onReport?: (report: BulkReport) => void | Promise<void>;
  /** Stops everything; operations that have not been reported by then may or may not have been written. */
  signal?: AbortSignal;
}

export type CheckedOptions = z.output<typeof optionsSchema>;

/** Validates the options and adds defaults. Error: `InvalidInput` that names each bad option. */
export function checkOptions(options: BulkOptions): CheckedOptions {
  const parsed = optionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error);
  throw new ReembedError('InvalidInput', issuesText(issues, MAX_ISSUES), { issues, cause: parsed.error });
}
