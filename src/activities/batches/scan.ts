import type { SubmitBatchRequest } from '../../contract/batch-activities.ts';
import { ReembedError } from '../../contract/errors.ts';
import type { BatchInterface } from '../../models/batches/interface.ts';
import { estimateTokens } from '../../models/estimate-tokens.ts';
import { textKeysOf } from '../../pipeline/text-key.ts';
import { findAnswered, type SentText } from '../../store/batch-texts.ts';
import { type BehindObject, readBehind } from '../../store/protocol/copy.ts';
import type { IndexRow } from '../../store/schema.ts';
import { prepareCopies } from '../copy-objects.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { findReuse } from '../reuse.ts';

/** Objects that are read and split together. */
const PAGE = 500;

export interface Scanned {
  requests: Buffer[];
  texts: SentText[];
  /** The last key that is covered; null: to the end of the source. */
  until: string | null;
  tokens: number;
}

export interface ScanLimits {
  texts: number;
  bytes: number;
  tokens: number;
  batches: Pick<BatchInterface, 'requestOf' | 'sizeOf'>;
}

type Page = Pick<Scanned, 'requests' | 'texts' | 'tokens'> & { bytes: number };

/**
 * Reads objects of a range that the destination lacks, and makes the requests for their texts, until a file is full. Texts
 * with stored vectors or with an answer are left out. An object that alone does not fit is left to the copy that follows.
 */
export async function scanRange(
  deps: ActivityDependencies,
  request: SubmitBatchRequest,
  { dest, limits, signal }: { dest: IndexRow; limits: ScanLimits; signal: AbortSignal },
): Promise<Scanned> {
  const { until } = request;
  const all: Page = { requests: [], texts: [], tokens: 0, bytes: 0 };
  const seen = new Set<string>();
  let cursor = request.after;
  let size = PAGE;
  for (;;) {
    signal.throwIfAborted();
    const { objects, more } = await readBehind(deps.background, request, { after: cursor, until }, size);
    const page = await makeRequests(deps, request, objects, { dest, limits, signal, seen });
    const hasRoom = all.tokens + page.tokens <= limits.tokens;
    const fits =
      hasRoom && all.texts.length + page.texts.length <= limits.texts && all.bytes + page.bytes <= limits.bytes;
    if (!fits && objects.length > 1) {
      size = Math.ceil(objects.length / 2);
      continue;
    }
    if (!fits && all.texts.length > 0) return { ...all, until: cursor };
    if (!hasRoom)
      throw new ReembedError('BudgetUsedUp', `the budget has no room for the next object: ${page.tokens} tokens`);
    if (fits) {
      all.requests.push(Buffer.concat(page.requests));
      all.texts.push(...page.texts);
      for (const { key } of page.texts) seen.add(key);
      all.tokens += page.tokens;
      all.bytes += page.bytes;
    }
    cursor = objects.at(-1)?.id ?? cursor;
    if (!more) return { ...all, until };
  }
}

/** Makes the requests of some objects. */
async function makeRequests(
  deps: ActivityDependencies,
  { taskId, lock, sourceNo, rangeNo }: SubmitBatchRequest,
  objects: readonly BehindObject[],
  { dest, limits, signal, seen }: { dest: IndexRow; limits: ScanLimits; signal: AbortSignal; seen: Set<string> },
): Promise<Page> {
  const target = { taskId, lock, sourceNo, dest, signal };
  const keyOf = textKeysOf(dest.model);
  const texts = new Map<string, string>();
  const reuse = await findReuse(deps.background, target, objects);
  const offline = {
    answers: async () => new Map(),
    onTexts: (asked: readonly string[]) => {
      for (const text of asked) texts.set(keyOf(text), text);
    },
  };
  for await (const _portion of prepareCopies(deps, { ...target, offline }, objects, reuse)) {
    // Only the texts that it would ask for matter.
  }
  const answered = await findAnswered(deps.background, { taskId, rangeNo }, [...texts.keys()]);
  const fresh = [...texts].filter(([key]) => !answered.has(key) && !seen.has(key));
  const requests = fresh.map(([key, text]) => limits.batches.requestOf(key, text));
  return {
    requests,
    texts: fresh.map(([key, text]) => ({ key, ...limits.batches.sizeOf(text) })),
    tokens: estimateTokens(fresh.map(([, text]) => text)),
    bytes: requests.reduce((sum, { length }) => sum + length, 0),
  };
}
