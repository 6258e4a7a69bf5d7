import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { median } from 'simple-statistics';
import { createClient, type ReembedClient } from '../src/client/client.ts';
import type { Db } from '../src/store/database.ts';
import { type EmbeddingServer, rejectTexts, startEmbeddingServer } from '../test/support/embedding-server.ts';
import { NO_HNSW } from './bulk.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, compare, type Metric } from './harness.ts';
import { postgresVersions } from './machine.ts';
import { findPgai, startPgai } from './pgai/python.ts';
import { startProcesses } from './processes.ts';

const METRICS = [
  { name: 'first load', unit: 'rows/s', better: 'higher' },
  { name: 'one change, p50', unit: 'ms', better: 'lower' },
  { name: 'texts embedded after an update of another column', unit: 'texts', better: 'lower' },
  { name: 'wrong rows after deletes in flight', unit: 'rows', better: 'lower' },
  { name: 'rows held up by one that the model refuses', unit: 'rows', better: 'lower' },
] as const satisfies Metric[];
type Figures = Record<(typeof METRICS)[number]['name'], number>;

const DIMENSIONS = 64;
const CHANGES = 20;
const DELETED = 100;
const WITH_POISON = 20;
const LIMIT_MS = 600_000;
/** How long rows beside one that is refused have time. */
const POISON_MS = 30_000;
/** How long what is wrong has time to become right by itself. */
const WRONG_MS = 15_000;

export const pgai: Benchmark = {
  about: 'a followed table beside a vectorizer of pgai 0.12 on the same table and model server; needs Python and PyPI',
  options: { rows: { type: 'string', default: '2000' } },
  async run({ runs, options, say }) {
    const program = await findPgai(say);
    if (program === undefined) {
      say('NO PYTHON OR NO PGAI: this benchmark is SKIPPED');
      return { comparisons: [] };
    }
    const rows = Number(options.rows);
    const folder = mkdtempSync(path.join(tmpdir(), 'reembed-pgai-'));
    const { db, url, close } = await openBenchDatabase({ connections: 10, say });
    const model = await startEmbeddingServer({ dimensions: DIMENSIONS, record: false });
    const worker = await startPgai(program, url, folder);
    const system = await startProcesses({ api: ['api'], worker: ['worker'] }, url, NO_HNSW, say);
    const measured = (follow: Follow) => () => measure({ db, model, rows, say }, follow);
    const plan = {
      title: `${rows} rows, model that answers at once`,
      metrics: METRICS,
      candidate: { name: 'reembed', run: measured(followByReembed(db, createClient({ baseUrl: system.url }), model)) },
      baseline: { name: 'pgai', run: measured(followByPgai(db, model)) },
    };
    try {
      return { comparisons: [await compare(plan, { runs, say })], versions: await postgresVersions(url) };
    } finally {
      await Promise.all([worker.stop(), system.stop()]);
      await model.close();
      await close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Followed {
  /** SQL of the ids (as text) and the texts that have vectors, with columns `id` and `body`. */
  embedded: ReturnType<typeof sql<{ id: string; body: string }>>;
  /** Whether no change waits. */
  isIdle(): Promise<boolean>;
  end(): Promise<void>;
}
/** Begins to follow a table, which has rows. */
type Follow = (table: string) => Promise<Followed>;

function followByReembed(db: Db, reembed: ReembedClient, model: EmbeddingServer): Follow {
  return async (table) => {
    const served = { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: model.url };
    await reembed.indexes.create(table, { model: served as never });
    await reembed.sources.save(table, { index: table, table, text: ['body'] });
    const { rows } = await sql<{ no: number }>`select no from reembed.indexes where name = ${table}`.execute(db);
    const objects = sql.raw(`reembed.objects_${rows[0]?.no}`);
    return {
      embedded: sql`select object_id as id, payload #>> '{}' as body from ${objects} where not deleted and not failed`,
      isIdle: async () => (await reembed.sources.get(table)).backlog?.changes === 0,
      async end() {
        await reembed.sources.delete(table);
        await reembed.tasks.deleteIndex({ index: table }, { wait: true });
      },
    };
  };
}

function followByPgai(db: Db, model: EmbeddingServer): Follow {
  return async (table) => {
    const { rows } = await sql<{ no: number }>`
      select ai.create_vectorizer(
        ${table}::regclass,
        loading => ai.loading_column('body'),
        embedding => ai.embedding_openai('bench', ${DIMENSIONS}::int, base_url => ${model.url}::text),
        chunking => ai.chunking_none(),
        indexing => ai.indexing_none(),
        scheduling => ai.scheduling_none()
      ) as no`.execute(db);
    const no = rows[0]?.no ?? 0;
    return {
      embedded: sql`select id::text as id, chunk as body from ${sql.id(`${table}_embedding_store`)}`,
      async isIdle() {
        const { rows } = await sql<{ left: number }>`
          select ai.vectorizer_queue_pending(${no}::int, true) as left`.execute(db);
        return rows[0]?.left === 0;
      },
      end: async () => {
        await sql`select ai.drop_vectorizer(${no}::int, drop_all => true)`.execute(db);
      },
    };
  };
}

interface World {
  db: Db;
  model: EmbeddingServer;
  rows: number;
  say: (line: string) => void;
}

async function measure(world: World, follow: Follow): Promise<Figures> {
  const { db, model, rows } = world;
  const table = `t_${randomUUID().replaceAll('-', '')}`;
  await sql`create table ${sql.id(table)} (id int primary key, body text not null, stock int)`.execute(db);
  await insert(db, table, 1, rows);
  model.behave(() => undefined);
  const startMs = performance.now();
  const followed = await follow(table);
  try {
    await until(async () => (await wrongRows(db, table, followed)) === 0);
    const load = rows / ((performance.now() - startMs) / 1_000);
    return {
      'first load': load,
      'one change, p50': await timeChanges(world, table, followed),
      'texts embedded after an update of another column': await updateOther(world, table, followed),
      'wrong rows after deletes in flight': await deleteInFlight(world, table, followed),
      'rows held up by one that the model refuses': await refuseOne(world, table, followed),
    };
  } finally {
    model.behave(() => undefined);
    await followed.end();
    await sql`drop table if exists ${sql.id(table)} cascade`.execute(db);
  }
}

const insert = (db: Db, table: string, from: number, count: number) =>
  sql`
  insert into ${sql.id(table)}
  select i, 'the text of row ' || i, 1 from generate_series(${from}::int, ${from + count - 1}::int) i`.execute(db);

/** Counts rows whose vectors are missing or of another text, and vectors without a row. */
async function wrongRows(db: Db, table: string, { embedded }: Followed): Promise<number> {
  const { rows } = await sql<{ wrong: number }>`
    select count(*)::int as wrong
    from ${sql.id(table)} t
    full join (${embedded}) e on e.id = t.id::text
    where (e.body = t.body) is not true`.execute(db);
  return rows[0]?.wrong ?? 0;
}

async function timeChanges({ db }: World, table: string, { embedded }: Followed): Promise<number> {
  const times: number[] = [];
  for (let id = 1; id <= CHANGES; id++) {
    const body = `changed ${randomUUID()}`;
    await sql`update ${sql.id(table)} set body = ${body} where id = ${id}`.execute(db);
    const committedMs = performance.now();
    const found = sql`select from (${embedded}) e where e.id = ${String(id)} and e.body = ${body}`;
    await until(async () => (await found.execute(db)).rows.length > 0, 5);
    times.push(performance.now() - committedMs);
  }
  return median(times);
}

async function updateOther({ db, model }: World, table: string, followed: Followed): Promise<number> {
  const before = model.counts.texts;
  await sql`update ${sql.id(table)} set stock = stock + 1`.execute(db);
  await settle(followed);
  return model.counts.texts - before;
}

/** Deletes rows while the model embeds their new texts. */
async function deleteInFlight({ db, model }: World, table: string, followed: Followed): Promise<number> {
  let isAsked = false;
  model.behave(() => {
    isAsked = true;
    return undefined;
  });
  await sql`update ${sql.id(table)} set body = body || ' again' where id <= ${2 * DELETED}`.execute(db);
  await until(async () => isAsked, 1);
  await sql`delete from ${sql.id(table)} where id <= ${DELETED}`.execute(db);
  await settle(followed);
  return leftAfter(WRONG_MS, () => wrongRows(db, table, followed));
}

/** Counts rows without vectors beside one whose text the model refuses. */
async function refuseOne({ db, model, rows }: World, table: string, followed: Followed): Promise<number> {
  model.behave(rejectTexts(/poison/));
  const poison = 10 * rows;
  await sql`
    insert into ${sql.id(table)}
    select i, case when i = ${poison}::int then 'poison' else 'beside it ' || i end, 1
    from generate_series(${poison - WITH_POISON / 2}::int, ${poison + WITH_POISON / 2}::int) i`.execute(db);
  return leftAfter(POISON_MS, async () => {
    const found = await sql<{ held: number }>`
      select count(*)::int as held
      from ${sql.id(table)} t
      where body like 'beside it %'
        and not exists (select from (${followed.embedded}) e where e.id = t.id::text and e.body = t.body)`.execute(db);
    return found.rows[0]?.held ?? 0;
  });
}

/** Returns a count once it is 0, or what is left of it after a while. */
async function leftAfter(ms: number, count: () => Promise<number>): Promise<number> {
  for (const endMs = performance.now() + ms; ; await sleep(200)) {
    const left = await count();
    if (left === 0 || performance.now() > endMs) return left;
  }
}

/** Waits until nothing is left to do, also between two looks of a worker that polls. */
async function settle(followed: Followed): Promise<void> {
  for (let idle = 0; idle < 15; idle = (await followed.isIdle()) ? idle + 1 : 0) await sleep(200);
}

async function until(holds: () => Promise<boolean>, everyMs = 50): Promise<void> {
  for (const endMs = performance.now() + LIMIT_MS; !(await holds()); await sleep(everyMs)) {
    if (performance.now() > endMs) throw new Error('what follows the table did not get there in time');
  }
}
