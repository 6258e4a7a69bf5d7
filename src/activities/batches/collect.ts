import type { CollectedBatch } from '../../contract/batch-activities.ts';
import { TRUNCATED } from '../../contract/errors.ts';
import { tokenizerNameOf } from '../../contract/splitter.ts';
import type { BatchAnswer, BatchInterface } from '../../models/batches/interface.ts';
import { cutOfOne, type TextSize } from '../../models/cut-texts.ts';
import { windowOf } from '../../models/windows.ts';
import { countAnswers, findAnswered, readSizes, storeAnswers } from '../../store/batch-texts.ts';
import { transaction } from '../../store/database.ts';
import type { IndexRow } from '../../store/schema.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { recordBatchUsage } from '../support/meter.ts';

/** Answers that are stored in one transaction; their vectors are in memory together. */
const CHUNK = 200;
const KEY = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Answered = Exclude<BatchAnswer, { kind: 'again' }>;

/**
 * Stores the answers of a job as they are read. An answer that is stored already changes nothing and is not paid for again;
 * one to a text that was not sent is counted as unknown. A text that the model has not read to its end counts as refused:
 * the usual call that follows splits it again.
 */
export async function collectAnswers(
  deps: ActivityDependencies,
  {
    taskId,
    rangeNo,
    batchId,
    tokensPerText,
  }: { taskId: string; rangeNo: number; batchId: string; tokensPerText: number },
  { dest, batches, signal }: { dest: IndexRow; batches: BatchInterface; signal: AbortSignal },
): Promise<Omit<CollectedBatch, 'usage'>> {
  const { background: db } = deps;
  const range = { taskId, rangeNo };
  const before = await countAnswers(db, range);
  let unknown = 0;
  const chunk = new Map<string, Answered>();
  const store = async () => {
    const answers = refuseCut(dest, [...chunk.values()], await readSizes(db, range, [...chunk.keys()]));
    chunk.clear();
    const stored = await transaction(db, async (trx) => {
      const stored = await storeAnswers(trx, range, answers.map(toTextAnswer));
      const paid = answers.flatMap(({ id, tokens }) => (tokens !== undefined && stored.has(id) ? [tokens] : []));
      await recordBatchUsage(trx, deps, { taskId, model: dest.model, tokensPerText }, paid);
      return stored;
    });
    const others = answers.map(({ id }) => id).filter((id) => !stored.has(id));
    const known = others.length > 0 ? await findAnswered(db, range, others) : new Set();
    unknown += others.length - known.size;
  };
  for await (const answer of batches.answers(batchId, signal)) {
    signal.throwIfAborted();
    if (!KEY.test(answer.id)) unknown++;
    else if (answer.kind !== 'again' && chunk.get(answer.id)?.kind !== 'vector') chunk.set(answer.id, answer);
    if (chunk.size >= CHUNK) await store();
  }
  await store();
  const { why, ...counts } = await countAnswers(db, range);
  const fresh = { answered: counts.answered - before.answered, refused: counts.refused - before.refused };
  if (unknown > 0) deps.log.warn({ taskId, batchId, unknown }, 'a batch has answers to requests that were not in it');
  return { range: counts, fresh, unknown, why };
}

function toTextAnswer(answer: Answered) {
  const { id: key } = answer;
  return answer.kind === 'vector' ? { key, vector: answer.vector, why: null } : { key, vector: null, why: answer.why };
}

/** Makes a refusal of each answer to a text that the model has cut. */
function refuseCut(
  { model, splitter }: IndexRow,
  answers: readonly Answered[],
  sizes: ReadonlyMap<string, TextSize>,
): Answered[] {
  const [window, areCounted] = [windowOf(model), tokenizerNameOf(splitter, model) !== 'estimate'];
  return answers.map((answer) => {
    const size = answer.kind === 'vector' ? sizes.get(answer.id) : undefined;
    const { id, tokens } = answer;
    const cut = size && cutOfOne(size, { tokens: tokens ?? undefined, window, areCounted });
    return cut === undefined ? answer : { id, kind: 'refused', why: `${TRUNCATED}: ${cut}`, tokens };
  });
}
