import { indexConfigSchema } from '../src/contract/indexes.ts';
import { type Db, transaction } from '../src/store/database.ts';
import { ensureIndex } from '../src/store/indexes.ts';
import { writeLive } from '../src/store/protocol/live-write.ts';
import type { IndexRow } from '../src/store/schema.ts';

const WRITE_BATCH = 1_000;

/** Returns a text of some 200 characters. */
export function textOf(id: string): string {
  return `${id}: ${'some words about nothing in particular, '.repeat(5)}`;
}

/** Creates an index of texts of some 200 characters, each with one random vector. */
export async function givenObjects(db: Db, name: string, count: number, dimensions = 8): Promise<IndexRow> {
  const config = indexConfigSchema.parse({ model: { provider: 'hash', dimensions } });
  const { index } = await transaction(db, (trx) => ensureIndex(trx, name, config));
  for (let at = 0; at < count; at += WRITE_BATCH) {
    const objects = Array.from({ length: Math.min(WRITE_BATCH, count - at) }, (_, place) => {
      const id = `object-${String(at + place).padStart(9, '0')}`;
      const payload = textOf(id);
      const embedding = Float32Array.from({ length: dimensions }, () => Math.random() - 0.5);
      const parts = [{ part: 0, start: null, end: null, isAverage: false, embedding }];
      const rest = { metadata: {}, originalId: null, uri: null, hash: id, parts };
      return { kind: 'content' as const, id, version: at + place + 1, payload, ...rest };
    });
    await writeLive(db, { target: name, indexNo: index.no, objects, onReindex: 'forward' });
  }
  return index;
}
