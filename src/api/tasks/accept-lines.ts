import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { fieldIssues } from '../../contract/issues.ts';
import { type Line, lineError, readLines } from '../../contract/json-text/lines.ts';
import { LIMITS } from '../../contract/limits.ts';
import { type Deletion, deletionItemSchema, type Item, itemSchema } from '../../contract/objects.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { Accepted } from '../../contract/workflow-inputs.ts';
import { Pace } from '../../cpu/pace.ts';
import { requireWritable, versionIssue } from '../../store/admission.ts';
import type { Db } from '../../store/database.ts';
import { nextVersion } from '../../store/protocol/versions.ts';
import type { IndexRow } from '../../store/schema.ts';
import { dropStaged, findRepeated, stageItems } from '../../store/staging.ts';
import { parsePaced } from '../body/items.ts';
import {
  type AcceptDependencies,
  type AcceptOptions,
  type LiveWriteOptions,
  newStaging,
  startStaged,
  writeOptionsOf,
} from './accept.ts';
import { createInputHash, type InputHash } from './input-hash.ts';

/** A payload of the most bytes, written with escapes. */
const LINE_BYTES = 2 * LIMITS.payloadBytes;

/** What is staged in one statement. */
const BATCH = { items: 500, bytes: 4 * 1024 * 1024 } as const;

const LINE_SCHEMAS: Record<'upsert' | 'delete', z.ZodType<Item | Deletion>> = {
  upsert: itemSchema,
  delete: deletionItemSchema,
};

/**
 * Accepts an upsert or a delete with one item per line, of any length: items are staged as they arrive, and nothing
 * more is read meanwhile. All or nothing: a bad line, or a client that goes away, leaves nothing behind. Errors as of
 * `acceptItems`; those of a line are named `line 17.id`.
 */
export async function acceptLines(
  deps: AcceptDependencies,
  type: 'upsert' | 'delete',
  given: LiveWriteOptions,
  body: ReadableStream<Uint8Array> | null,
  options: AcceptOptions = {},
): Promise<Tracker> {
  const index = await requireWritable(deps.db, given.index);
  const { taskId: givenId, ...writeOptions } = writeOptionsOf(given);
  const taskId = givenId ?? randomUUID();
  const staging = newStaging(taskId);
  const hash = createInputHash({ type, ...writeOptions });
  let accepted: Accepted;
  try {
    const total = body === null ? 0 : await stageLines(deps.db, { staging, index, type, hash }, body);
    if (total === 0) throw new ReembedError('InvalidInput', 'the body is empty: one JSON object per line is expected');
    // Now that all is there the task is accepted: what others wrote while it was being sent is older.
    accepted = { version: await nextVersion(deps.db), total, staging };
  } catch (error) {
    await dropStaged(deps.db, staging).catch(() => {}); // the first error is the one to tell
    throw error;
  }
  return startStaged(deps, {
    type,
    taskId,
    isNamed: givenId !== undefined,
    inputHash: hash.digest(),
    input: writeOptions,
    accepted,
    ...options,
  });
}

interface Staging {
  staging: string;
  index: IndexRow;
  type: 'upsert' | 'delete';
  hash: InputHash;
}

/** Returns how many items were staged. One batch is staged while the next one is read, and no more. */
async function stageLines(db: Db, target: Staging, body: ReadableStream<Uint8Array>): Promise<number> {
  const { staging, index, type, hash } = target;
  const known = new KnownIds();
  const pace = new Pace();
  let batch: (Item | Deletion)[] = [];
  let batchBytes = 0;
  let staged = 0;
  let beingStaged: Promise<void> = Promise.resolve();
  const flush = async () => {
    await beingStaged;
    beingStaged = stageItems(db, staging, staged, batch);
    beingStaged.catch(() => {}); // told where it is awaited
    staged += batch.length;
    batch = [];
    batchBytes = 0;
  };
  try {
    for await (const line of readLines(body, LINE_BYTES)) {
      const item = await parseLine(line, type, pace);
      known.add(item.id, line.number);
      const issue = versionIssue(index, item, '');
      if (issue) throw lineError(line.number, [{ ...issue, path: 'version' }]);
      hash.add(item);
      await pace.breathe();
      batch.push(item);
      batchBytes += line.bytes.length;
      if (batch.length >= BATCH.items || batchBytes >= BATCH.bytes) await flush();
    }
    await flush();
  } finally {
    await beingStaged; // whoever drops what was staged must find all of it
  }
  if (known.isIncomplete) await refuseRepeated(db, staging);
  return staged;
}

/** The ids of so many lines are kept in memory; of longer bodies those that repeat are looked for once all is staged. */
const KNOWN_IDS = 10_000;

class KnownIds {
  private readonly lineOf = new Map<string, number>();
  isIncomplete = false;

  add(id: string, line: number): void {
    const before = this.lineOf.get(id);
    if (before !== undefined) throw lineError(line, [{ path: 'id', message: `the same id as line ${before}` }]);
    if (this.lineOf.size < KNOWN_IDS) this.lineOf.set(id, line);
    else this.isIncomplete = true;
  }
}

async function refuseRepeated(db: Db, staging: string): Promise<void> {
  const repeated = await findRepeated(db, staging);
  if (!repeated) return;
  const { id, seq, before } = repeated;
  const message = `${JSON.stringify(id)} comes twice, in the lines ${before + 1} and ${seq + 1}, not counting empty ones`;
  throw new ReembedError('InvalidInput', `id: ${message}`, { issues: [{ path: 'id', message }] });
}

async function parseLine({ number, bytes }: Line, type: 'upsert' | 'delete', pace: Pace): Promise<Item | Deletion> {
  const parsed = LINE_SCHEMAS[type].safeParse(await parsePaced(bytes, pace, [`line ${number}`]));
  if (!parsed.success) throw lineError(number, fieldIssues(parsed.error));
  await pace.breathe();
  return parsed.data;
}
