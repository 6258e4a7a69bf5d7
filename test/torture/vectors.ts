import type pg from 'pg';
import type { Embedder } from '../../src/contract/embedder.ts';
import { type IndexConfig, indexConfigSchema } from '../../src/contract/indexes.ts';
import type { FailedItem } from '../../src/contract/tasks.ts';
import { createModels } from '../../src/models/models.ts';
import { createLoader } from '../../src/pipeline/load.ts';
import { prepareObjects } from '../../src/pipeline/prepare.ts';
import type { PreparedObject } from '../../src/pipeline/prepared.ts';
import { ALIAS } from './clients.ts';

/** Returns the provider's vector of a text. */
export type VectorOf = (text: string) => number[];

/** Number of compared objects in an index that does not serve; in the serving one all are compared. */
const SAMPLE = 300;
/** Stored numbers have single precision, and some are computed from others. */
const TOLERANCE = 1e-4;

/**
 * Computes the vectors of each index again, from the stored payloads and its configuration: all of the serving index,
 * and a sample of the others. The provider's answers are known here and not requested, so a vector that the product
 * assigned to the wrong text is found.
 */
export async function checkVectors(db: pg.Pool, vectorOf: VectorOf): Promise<{ wrong: string[]; compared: number }> {
  const { rows: indexes } = await db.query(`
    select i.*, exists (select from reembed.aliases a where a.index_no = i.no and a.name = '${ALIAS}') as serves
    from reembed.indexes i
    where i.state = 'active'`);
  const wrong: string[] = [];
  let compared = 0;
  for (const { no, name, serves, model, metric, splitter, average, versioning } of indexes) {
    const config = indexConfigSchema.parse({ model, metric, splitter, average, versioning });
    const { rows: objects } = await db.query(`
      select object_id as id, payload
      from reembed.objects_${no}
      where not deleted and not failed
      order by ${serves ? 'object_id' : 'random()'}
      limit ${serves ? 'all' : SAMPLE}`);
    const stored = await storedParts(db, no, objects);
    const { ready, failed } = await prepare(objects, config, vectorOf);
    for (const { id, parts } of ready) {
      compared += parts.length;
      if (!isSame(parts, stored.get(id) ?? [])) wrong.push(`${id} in ${name}`);
    }
    wrong.push(...failed.map(({ objectId }) => `${objectId} in ${name}`));
  }
  return { wrong, compared };
}

async function storedParts(db: pg.Pool, no: number, objects: { id: string }[]): Promise<Map<string, number[][]>> {
  const { rows } = await db.query<{ id: string; embedding: string }>(
    `select object_id as id, embedding::text
     from reembed.parts_${no}
     where object_id = any($1::text[])
     order by object_id, part`,
    [objects.map(({ id }) => id)],
  );
  const stored = new Map<string, number[][]>();
  for (const { id, embedding } of rows) {
    const parts = stored.get(id) ?? [];
    parts.push(JSON.parse(embedding));
    stored.set(id, parts);
  }
  return stored;
}

async function prepare(objects: { id: string; payload: string }[], config: IndexConfig, vectorOf: VectorOf) {
  const { model } = config;
  const embedder: Embedder =
    model.provider === 'openai'
      ? {
          ...{ dimensions: model.dimensions, maxTexts: 1_000, maxChars: 1_000_000 },
          embed: async (texts) => texts.map(vectorOf),
        }
      : createModels({ env: {} }).embedder(model);
  const loader = createLoader({ fileRoots: [], allowPrivateAddresses: false, timeoutMs: 1_000 });
  const ready: PreparedObject[] = [];
  const failed: FailedItem[] = [];
  for await (const portion of prepareObjects(objects, { config, embedder, loader, concurrency: 8 })) {
    ready.push(...portion.ready);
    failed.push(...portion.failed);
  }
  return { ready, failed };
}

function isSame(wanted: PreparedObject['parts'], there: number[][]): boolean {
  return (
    there.length === wanted.length &&
    wanted.every(({ embedding }, at) => {
      const vector = there[at] as number[];
      return (
        vector.length === embedding.length &&
        embedding.every((v, i) => Math.abs(v - (vector[i] as number)) <= TOLERANCE)
      );
    })
  );
}
