import { durationMs, durationText } from '../../contract/durations.ts';
import { invalidField } from '../../contract/errors.ts';
import type { Query } from '../../contract/query-sets.ts';
import type { SampledSet, Sampling } from '../../contract/sampling.ts';
import type { Db } from '../../store/database.ts';
import type { Names } from '../../store/placement/directory.ts';
import { saveQuerySet } from '../../store/query-sets.ts';
import * as store from '../../store/sampled-searches.ts';
import { roomForAnswer, sendCounted } from '../body/memory.ts';
import { createRouter } from '../create-router.ts';
import { fromNumberCursor, toCursor } from '../cursor.ts';
import { getSampling, getSearches, putSampledSet, putSampling, removeSampling } from './routes.ts';

/** Creates the routes below an alias that set its sampling and list its sampled searches. */
export function createSamplingRouter({ db }: { db: Db }) {
  return createRouter()
    .openapi(putSampling, async (c) => {
      const { alias } = c.req.valid('param');
      const { share, keep } = c.req.valid('json');
      await store.setSampling(db, alias, { share, keepSeconds: durationMs(keep) / 1_000 });
      return c.json(await readSampling(db, alias), 200);
    })
    .openapi(getSampling, async (c) => c.json(await readSampling(db, c.req.valid('param').alias), 200))
    .openapi(removeSampling, async (c) => {
      await store.endSampling(db, c.req.valid('param').alias);
      return c.body(null, 204);
    })
    .openapi(getSearches, async (c) => {
      const { alias } = c.req.valid('param');
      const { cursor, limit } = c.req.valid('query');
      const after = fromNumberCursor('sampled-searches', cursor);
      await store.getSampling(db, alias);
      await roomForAnswer(c.req.raw.signal);
      const { searches, next } = await store.listSampledSearches(db, alias, { after, limit });
      return sendCounted(c, {
        searches,
        cursor: next === null ? null : toCursor('sampled-searches', next),
      }) as never;
    });
}

/** Creates the route that makes a query set from sampled searches. */
export function createSampledSetRouter({ db, names }: { db: Db; names: Names }) {
  return createRouter().openapi(putSampledSet, async (c) => {
    const { querySet } = c.req.valid('param');
    const request = c.req.valid('json');
    const queries = await pickQueries(db, request);
    const sampled = { alias: request.alias, seed: request.seed ?? null };
    const { info, created } = await names.under('query-set', querySet, (claim) =>
      saveQuerySet(db, querySet, queries, { sampled, claim }),
    );
    return c.json(info, created ? 201 : 200);
  });
}

async function readSampling(db: Db, alias: string): Promise<Sampling> {
  const { share, keepSeconds, searches, oldest, newest } = await store.getSampling(db, alias);
  return {
    alias,
    share,
    keep: keepSeconds === null ? null : durationText(keepSeconds * 1_000),
    searches,
    oldest: oldest?.toISOString() ?? null,
    newest: newest?.toISOString() ?? null,
  };
}

/** Errors: `AliasNotFound`, `InvalidInput` if there are no sampled searches. */
async function pickQueries(db: Db, request: SampledSet): Promise<Query[]> {
  const { alias } = request;
  const queries = await store.pickSampledTexts(db, request);
  if (queries.length > 0) return queries;
  const { share } = await store.getSampling(db, alias);
  const message =
    share === 0
      ? `${alias} samples no searches; set a share with PUT /v1/aliases/${alias}/sampling`
      : `${alias} has no sampled searches yet; it keeps a share of ${share} of its searches by text`;
  throw invalidField('alias', message);
}
