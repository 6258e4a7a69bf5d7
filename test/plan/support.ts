import type { IndexConfigInput } from '../../src/contract/indexes.ts';
import { type PlanReindexRequest, planReindexSchema, type ReindexPlan } from '../../src/contract/plan.ts';
import { createModels } from '../../src/models/models.ts';
import { contentHasher } from '../../src/pipeline/content-hash.ts';
import { cuttingOf } from '../../src/pipeline/cut.ts';
import { splitAside } from '../../src/pipeline/split-aside.ts';
import { type PlanSettings, planReindex } from '../../src/plan/plan-reindex.ts';
import type { Db } from '../../src/store/database.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { content, createIndex, vectorOf, write } from '../store/builders.ts';

export const models = createModels({ env: {} });

/** Sentences of different lengths. */
export const textOf = (at: number) =>
  `Text ${at}. ${'Some words that follow each other. '.repeat(1 + ((at * 7) % 13))}`;

export const textsOf = (count: number) => Array.from({ length: count }, (_, at) => textOf(at));

/** Writes texts as the pipeline does: split, and with the hash of their content. */
export async function putTexts(db: Db, index: IndexRow, texts: readonly string[]): Promise<void> {
  const hashOf = contentHasher(index);
  const version = await nextVersion(db);
  const objects = [];
  for (const [at, payload] of texts.entries()) {
    const parts = (await splitAside(payload, cuttingOf(index))).map(({ part, start, end }) => {
      return { part, start, end, isAverage: false, embedding: vectorOf(at + 1) };
    });
    objects.push(content(idOf(at), version, { payload, hash: await hashOf(payload), parts }));
  }
  const outcome = await write(db, index, objects);
  if (outcome.kind !== 'written') throw new Error(`the write was held back: ${outcome.kind}`);
}

export const idOf = (at: number) => `object-${String(at).padStart(6, '0')}`;

export async function givenSource(
  db: Db,
  texts: readonly string[],
  config: Partial<IndexConfigInput> = {},
): Promise<IndexRow> {
  const index = await createIndex(db, config);
  await putTexts(db, index, texts);
  return index;
}

export function plan(db: Db, body: PlanReindexRequest, settings: Partial<PlanSettings> = {}): Promise<ReindexPlan> {
  const deps = { db, models, settings: { maxConcurrentReindexes: 1_000, ...settings } };
  return planReindex(deps, planReindexSchema.parse(body), new AbortController().signal);
}
