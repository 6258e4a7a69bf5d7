import { randomUUID } from 'node:crypto';
import { invalidField, ReembedError } from '../../contract/errors.ts';
import type { Accepted } from '../../contract/hand-over.ts';
import { lineError, readLines } from '../../contract/json-text/lines.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { Deletion, Item } from '../../contract/objects.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { Pace } from '../../cpu/pace.ts';
import { boundTo, itemIssue, requireWritable } from '../../store/admission.ts';
import type { Db } from '../../store/database.ts';
import type { EncodedItem } from '../../store/encoded-item.ts';
import { nextVersion } from '../../store/protocol/versions.ts';
import { withSpace } from '../../store/ready-vectors.ts';
import type { IndexRow } from '../../store/schema.ts';
import { findRepeated, stageItems } from '../../store/staging.ts';
import { readItemLine } from '../body/items.ts';
import { openBody } from '../body/memory.ts';
import { type LiveWriteOptions, newStaging, orDrop, startStaged, writeOptionsOf } from './accept-items.ts';
import type { CalledOptions } from './accept-task.ts';
import { createInputHash, type InputHash } from './input-hash.ts';
import type { AcceptDependencies } from './options.ts';

/** A payload of maximum size, written with escapes. */
const LINE_BYTES = 2 * LIMITS.payloadBytes;

/** Max items and bytes staged in one statement. */
const BATCH = { items: 500, bytes: 4 * 1024 * 1024 } as const;

/**
 * Accepts an upsert or a delete with one item per line, of any length: items are staged as they arrive, with
 * back-pressure. All or nothing: a bad line, or a client that disconnects, leaves nothing behind. Errors: those of
 * `acceptItems`; the path of an error in a line is like `line 17.id`.
 */
export async function acceptLines(
  deps: AcceptDependencies,
  type: 'upsert' | 'delete',
  given: LiveWriteOptions,
  body: ReadableStream<Uint8Array> | null,
  options: CalledOptions = {},
): Promise<Tracker> {
  const index = await requireWritable(deps.db, given.index);
  const { taskId: givenId, ...writeOptions } = writeOptionsOf(given);
  const taskId = givenId ?? randomUUID();
  const staging = newStaging(taskId);
  const hash = createInputHash({ type, ...writeOptions });
  const accepted = await orDrop(deps.db, staging, async (): Promise<Accepted> => {
    const total = body === null ? 0 : await stageLines(deps.db, { staging, index, type, hash }, body);
    if (total === 0) throw new ReembedError('InvalidInput', 'the body is empty: one JSON object per line is expected');
    // The version is assigned after the last line, so writes accepted during the upload are older.
    const indexNo = boundTo(index, given.index);
    return { version: await nextVersion(deps.db), total, indexNo, staging };
  });
  const isNamed = givenId !== undefined;
  const inputHash = hash.digest();
  return startStaged(deps, { type, taskId, isNamed, inputHash, input: writeOptions, accepted, ...options });
}

interface Staging {
  staging: string;
  index: IndexRow;
  type: 'upsert' | 'delete';
  hash: InputHash;
}

/** Stages the items and returns their number. At most one batch is staged while the next one is read. */
async function stageLines(db: Db, target: Staging, body: ReadableStream<Uint8Array>): Promise<number> {
  const { staging, index, type, hash } = target;
  const known = new KnownIds();
  const pace = new Pace();
  let batch: (Item | Deletion | EncodedItem)[] = [];
  let batchBytes = 0;
  let staged = 0;
  let beingStaged: Promise<void> = Promise.resolve();
  let beingStagedBytes = 0;
  const held = openBody();
  const flush = async () => {
    await beingStaged;
    beingStaged = stageItems(db, staging, staged, batch);
    beingStaged.catch(() => {}); // reported where it is awaited
    staged += batch.length;
    beingStagedBytes = batchBytes;
    batch = [];
    batchBytes = 0;
  };
  const onPiece = async (lineBytes: number) => {
    if (held.tryHold(beingStagedBytes + batchBytes + lineBytes)) return;
    await flush();
    await beingStaged;
    beingStagedBytes = 0;
    await held.hold(lineBytes);
  };
  try {
    for await (const line of readLines(body, LINE_BYTES, onPiece)) {
      const lineBytes = line.bytes.length;
      const item = await readItemLine(line, type);
      await pace.breathe();
      known.add(item.id, line.number);
      const issue = itemIssue(index, item, '');
      if (issue) throw lineError(line.number, [issue]);
      await hash.add(item, pace);
      batch.push(withSpace(index, item));
      batchBytes += lineBytes;
      if (batch.length >= BATCH.items || batchBytes >= BATCH.bytes) await flush();
    }
    await flush();
  } finally {
    held.release();
    await beingStaged; // the cleanup must see all staged rows
  }
  if (known.isIncomplete) await refuseRepeated(db, staging);
  return staged;
}

/** Max ids kept in memory; in longer bodies repeated ids are searched for after all lines are staged. */
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
  throw invalidField('id', message);
}
