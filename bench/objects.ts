import { indexConfigSchema } from '../src/contract/indexes.ts';
import { cuttingOf } from '../src/pipeline/cut.ts';
import { splitAside } from '../src/pipeline/split-aside.ts';
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
export function givenObjects(db: Db, name: string, count: number, dimensions = 8): Promise<IndexRow> {
  const idOf = (at: number) => `object-${String(at).padStart(9, '0')}`;
  return givenTexts(db, name, { count, of: (at) => textOf(idOf(at)) }, dimensions);
}

/** Creates an index of texts, split as usual, with random vectors, or those of `vectorOf` by the place of the text. */
export async function givenTexts(
  db: Db,
  name: string,
  texts: { count: number; of: (at: number) => string; vectorOf?: (at: number) => Float32Array },
  dimensions = 8,
): Promise<IndexRow> {
  const config = indexConfigSchema.parse({ model: { provider: 'hash', dimensions } });
  const { index } = await transaction(db, (trx) => ensureIndex(trx, name, config));
  const random = () => Float32Array.from({ length: dimensions }, () => Math.random() - 0.5);
  for (let at = 0; at < texts.count; at += WRITE_BATCH) {
    const objects = [];
    for (let place = at; place < Math.min(at + WRITE_BATCH, texts.count); place++) {
      const id = `object-${String(place).padStart(9, '0')}`;
      const payload = texts.of(place);
      const split = await splitAside(payload, cuttingOf(config));
      const parts = split.map(({ part, start, end }) => {
        const embedding = texts.vectorOf?.(place) ?? random();
        return { part, start, end, isAverage: false, embedding };
      });
      const rest = { metadata: {}, originalId: null, uri: null, hash: id, parts };
      objects.push({ kind: 'content' as const, id, version: place + 1, payload, ...rest });
    }
    await writeLive(db, { target: name, indexNo: index.no, objects, onReindex: 'forward' });
  }
  return index;
}
