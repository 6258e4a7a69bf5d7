import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { cli } from '../cli/support.ts';
import { type System, startSystem } from '../support/system.ts';
import { startScript } from './support.ts';

// It starts its own process.
vi.setConfig({ testTimeout: 240_000 });

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

it('own-table reads and writes by SQL only while the model changes, and the view has what the table has', async () => {
  const { reembed, url, database } = system;
  const run = async (line: string) => {
    const outcome = await cli(line.split(' '), { env: { REEMBED_URL: url } });
    expect(outcome, line).toMatchObject({ code: 0 });
  };
  await sql.raw(await readFile('examples/own-table/products.sql', 'utf8')).execute(database.db);
  await run('index create products-v1 --provider words');
  await run('alias set shop products-v1');
  await run('sources add products public.products --index shop --text name --text about --metadata price');
  await expect.poll(async () => (await reembed.indexes.get('shop')).objects, { timeout: 90_000 }).toBe(6);

  const shop = startScript('examples/own-table/shop.ts', [], { DATABASE_URL: database.url });
  try {
    const printed = () => expect.poll(() => shop.output.out, { timeout: 90_000 });
    await printed().toMatch(/^like the tent: .*(Sleeping bag|Camping stove) \([\d.]+\)/);
    await run('reindex shop products-v2 --provider hash --dimensions 256');
    const before = shop.output.out.length;
    await expect.poll(() => shop.output.out.length, { timeout: 90_000 }).toBeGreaterThan(before);
  } finally {
    shop.child.kill('SIGTERM');
  }
  expect(await shop.ended).toBe(0);
  expect([shop.output.error, shop.output.out]).toEqual(['', expect.stringMatching(/closed after \d+ writes\n$/)]);
  expect((await reembed.indexes.get('shop')).name).toBe('products-v2');

  const table = await rows(
    `select id::text, name || E'\\n\\n' || about as text, price::float8 from products order by products.id`,
  );
  const view = `select object_id as id, payload #>> '{}' as text, (metadata ->> 'price')::float8 as price
    from reembed.search_shop where part = 0 order by object_id::bigint`;
  await expect.poll(() => rows(view), { timeout: 90_000 }).toEqual(table);
});

async function rows(statement: string): Promise<unknown[]> {
  return (await sql.raw(statement).execute(system.database.db)).rows;
}
