import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uniqueName } from '../store/builders.ts';
import { type System, startSystem } from '../support/system.ts';
import { cli } from './support.ts';

const TEXTS = ['a lion sleeps in the sun', 'a whale sings at night', 'the ship leaves the port', 'bread needs an oven'];

let system: System;
let vectors: string[];

beforeAll(async () => {
  system = await startSystem();
  const { vectors: made } = await system.reembed.embed({
    index: await givenIndex(),
    texts: TEXTS,
    purpose: 'document',
  });
  vectors = made.map((vector) => JSON.stringify(vector));
});
afterAll(() => system?.stop());

const run = (statement: string) => sql.raw(statement).execute(system.database.db);
const reembed = (...args: string[]) =>
  cli(args, { env: { REEMBED_URL: system.url, DATABASE_URL: system.database.url } });
const importTable = (index: string, table: string, ...args: string[]) =>
  reembed('import', '--table', table, '--index', index, '--wait', ...args);

async function givenIndex(dimensions = 64): Promise<string> {
  const name = uniqueName('index');
  await system.reembed.indexes.create(name, { model: { provider: 'hash', dimensions }, readyVectors: true });
  return name;
}

async function contentOf(index: string) {
  const found: { id: string; text: unknown; metadata: object; vector: unknown }[] = [];
  for await (const { id, metadata, parts } of system.reembed.objects.export(index)) {
    found.push({ id, metadata, text: parts[0]?.text, vector: JSON.stringify(parts[0]?.vector) });
  }
  return found;
}

const schema = () => `s${uniqueName('').replaceAll('-', '')}`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The tables that langchain-postgres makes, with rows of two collections. */
async function langchain(in_: string) {
  await run(`create schema ${in_}`);
  await run(
    `create table ${in_}.langchain_pg_collection (uuid uuid primary key, name varchar not null unique, cmetadata json)`,
  );
  await run(`create table ${in_}.langchain_pg_embedding (
    id varchar primary key, collection_id uuid references ${in_}.langchain_pg_collection on delete cascade,
    embedding vector, document varchar, cmetadata jsonb)`);
  await run(`insert into ${in_}.langchain_pg_collection values
    ('00000000-0000-0000-0000-000000000001', 'docs'), ('00000000-0000-0000-0000-000000000002', 'other')`);
  for (const [at, text] of TEXTS.entries()) {
    await run(`insert into ${in_}.langchain_pg_embedding values
      ('c${at}', '00000000-0000-0000-0000-00000000000${at === 3 ? 2 : 1}', '${vectors[at]}', ${literal(text)}, '{"page": ${at}}')`);
  }
}

const expected = (at: number, id: string, metadata: object) => {
  const floats = (JSON.parse(vectors[at] as string) as number[]).map(Math.fround);
  return { id, metadata, text: TEXTS[at], vector: floats };
};
const close = (found: Awaited<ReturnType<typeof contentOf>>) =>
  found.map(({ vector, ...rest }) => ({
    ...rest,
    vector: (JSON.parse(vector as string) as number[]).map(Math.fround),
  }));

describe('an import of a table', () => {
  test('takes one collection of LangChain, and says which there are', async () => {
    const [index, name] = [await givenIndex(), schema()];
    await langchain(name);
    const table = `${name}.langchain_pg_embedding`;
    expect((await importTable(index, table)).err).toContain(
      'has the collections docs, other: name one with --collection',
    );
    const imported = await importTable(index, table, '--collection', 'docs');
    expect(imported).toMatchObject({ code: 0, err: expect.stringContaining('verified: 3 texts embedded again') });
    expect(close(await contentOf(index))).toEqual([0, 1, 2].map((at) => expected(at, `c${at}`, { page: at })));
    const { hits } = await system.reembed.search(index, { text: 'whale at night', limit: 1 });
    expect(hits[0]).toMatchObject({ id: 'c1', text: TEXTS[1] });
  });

  test('takes the tables of LlamaIndex and of pgai', async () => {
    const name = schema();
    await run(`create schema ${name}`);
    await run(`create table ${name}.data_docs (
      id bigserial primary key, text varchar not null, metadata_ json, node_id varchar, embedding vector(64))`);
    await run(`create table ${name}.blog_embedding_store (
      embedding_uuid uuid not null primary key default gen_random_uuid(), blog_id int not null, chunk_seq int not null,
      chunk text not null, embedding vector(64) not null, unique (blog_id, chunk_seq))`);
    for (const [at, text] of TEXTS.entries()) {
      await run(`insert into ${name}.data_docs (text, metadata_, node_id, embedding)
        values (${literal(text)}, '{"n": ${at}}', 'node-${at}', '${vectors[at]}')`);
      await run(`insert into ${name}.blog_embedding_store (blog_id, chunk_seq, chunk, embedding)
        values (7, ${at}, ${literal(text)}, '${vectors[at]}')`);
    }
    const [nodes, chunks] = [await givenIndex(), await givenIndex()];
    expect((await importTable(nodes, `${name}.data_docs`)).code).toBe(0);
    expect(close(await contentOf(nodes))).toEqual(TEXTS.map((_, at) => expected(at, `node-${at}`, { n: at })));
    expect((await importTable(chunks, `${name}.blog_embedding_store`)).code).toBe(0);
    expect(close(await contentOf(chunks))).toEqual(TEXTS.map((_, at) => expected(at, `7:${at}`, {})));
  });

  test('takes any table whose columns are named, and says how many rows it left out', async () => {
    const [index, name] = [await givenIndex(), schema()];
    await run(`create schema ${name}`);
    await run(`create table ${name}."My docs" ("the key" int primary key, body text, v halfvec(64))`);
    for (const [at, text] of TEXTS.entries()) {
      await run(
        `insert into ${name}."My docs" values (${at}, ${literal(text)}, ${at === 3 ? 'null' : `'${vectors[at]}'`})`,
      );
    }
    const columns = ['--id-column', 'the key', '--text-column', 'body', '--vector-column', 'v'];
    const imported = await importTable(index, `${name}."My docs"`, ...columns);
    expect(imported).toMatchObject({ code: 0, err: expect.stringContaining('left out: 1 of 4 rows without a vector') });
    expect((await contentOf(index)).map(({ id, text }) => [id, text])).toEqual(
      [0, 1, 2].map((at) => [String(at), TEXTS[at]]),
    );
    const other = await importTable(await givenIndex(), `${name}."My docs"`, ...columns.slice(0, -1), 'body');
    expect(other.err).toContain('the column body of');
  });

  test.each<[string, string, string]>([
    [
      'vectors of another model',
      `update docs set v = '[${Array.from({ length: 64 }, (_, at) => (at % 2 ? 1 : -1))}]'`,
      'have another vector',
    ],
    ['two dimensions', `update docs set v = '[1,2]' where id = 'r1'`, 'vectors of 2 to 64 dimensions'],
    ['other dimensions than the model', `update docs set v = '[1,2]'`, 'have 2 dimensions, and the model of'],
    ['no vectors', 'update docs set v = null', 'has no rows with a vector'],
    ['no texts', 'update docs set body = null', 'none has a text: --no-verify'],
    ['an id twice', `update docs set id = 'same'`, 'the same id as line 1'],
    ['metadata that is no object', `update docs set meta = '[1]'`, 'metadata'],
  ])('with %s is refused, and nothing is written', async (_what, change, said) => {
    const [index, name] = [await givenIndex(), schema()];
    await run(`create schema ${name}`);
    await run(`create table ${name}.docs (id text, body text, v vector, meta jsonb)`);
    for (const [at, text] of TEXTS.entries()) {
      await run(`insert into ${name}.docs values ('r${at}', ${literal(text)}, '${vectors[at]}', '{}')`);
    }
    await run(change.replace('docs', `${name}.docs`));
    const columns = ['--id-column', 'id', '--text-column', 'body', '--vector-column', 'v', '--metadata-column', 'meta'];
    const { code, err } = await importTable(index, `${name}.docs`, ...columns);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(said) });
    expect(await contentOf(index)).toEqual([]);
  });

  test('that is not there, or not known, is refused with what is needed', async () => {
    const index = await givenIndex();
    expect((await importTable(index, 'nowhere')).err).toContain('there is no table nowhere');
    expect((await importTable(index, 'reembed.aliases')).err).toContain('name its columns with --id-column');
    expect((await importTable(index, 'x', '--database-env', 'NOT_SET')).err).toContain('NOT_SET is not set');
    expect((await reembed('import', '--index', index)).err).toContain('give either a file or --table');
  });
});
