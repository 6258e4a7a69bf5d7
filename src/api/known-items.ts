import { invalidField } from '../contract/errors.ts';
import type { KnownItem, Query } from '../contract/query-sets.ts';
import { Pace } from '../cpu/pace.ts';
import { pickSentence } from '../evaluation/known-item.ts';
import { textOf } from '../pipeline/text-of.ts';
import type { Db } from '../store/database.ts';
import { sampleObjects } from '../store/sample-objects.ts';
import type { IndexRow } from '../store/schema.ts';

/** More objects than queries are looked at, since some have no sentence that could be a query. */
const SPARE = 2;

/**
 * Makes queries from the objects of an index: a sentence of each, whose only answer is the object. A sentence that
 * occurs in an earlier object is left out, since it has no single answer. The same objects and seed make the same
 * queries. Error: `InvalidInput` if no object has a sentence.
 */
export async function makeKnownItems(
  db: Db,
  index: IndexRow,
  { queries: max, seed, filter, metadataFields }: KnownItem,
): Promise<{ queries: Query[]; knownItem: { index: string; seed: number } }> {
  const pace = new Pace();
  const queries: Query[] = [];
  const texts = new Set<string>();
  for await (const { id, payload, metadata } of sampleObjects(db, index, { seed, filter, max: max * SPARE })) {
    const text = pickSentence(textOf(payload, index.splitter.fields), `${seed}:${id}`);
    await pace.breathe();
    if (text === null || texts.has(text)) continue;
    texts.add(text);
    const copied = Object.fromEntries(Object.entries(metadata).filter(([field]) => metadataFields.includes(field)));
    queries.push({ id, text, relevant: [{ id, grade: 1 }], metadata: copied as Query['metadata'] });
    if (queries.length === max) break;
  }
  if (queries.length > 0) return { queries, knownItem: { index: index.name, seed } };
  const message = `${index.name} has no object with a text that could be a query`;
  throw invalidField('knownItem.index', message);
}
