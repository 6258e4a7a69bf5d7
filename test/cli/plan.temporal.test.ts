import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { type System, startSystem } from '../support/system.ts';
import { cli } from './support.ts';

let system: System;
let server: EmbeddingServer;
beforeAll(async () => {
  [system, server] = await Promise.all([startSystem(), startEmbeddingServer({ dimensions: 8 })]);
  await system.reembed.indexes.create('docs-v1', { model: { provider: 'hash', dimensions: 16 } });
  await system.reembed.aliases.set('docs', 'docs-v1');
  const items = [
    { id: 'a', payload: 'a lion sleeps' },
    { id: 'b', payload: 'a ship sinks' },
  ];
  await system.reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
});
afterAll(async () => {
  await system?.stop();
  await server?.close();
});

const plan = (...options: string[]) =>
  cli(['reindex', 'docs', 'docs-v2', '--plan', ...options], { env: { REEMBED_URL: system.url } });
const openai = () => ['--provider', 'openai', '--name', 'm', '--dimensions', '8', '--base-url', server.url];

test('--plan prints a table, says what is in the way, and starts nothing', async () => {
  const { code, out, err } = await plan('--provider', 'words');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^plan: rebuild docs-v1 into docs-v2 with words\/.*, then docs is switched$/m);
  expect(out).toMatch(/^FORECAST +BASIS +FROM$/m);
  expect(out).toMatch(/^texts +2 +exact +all 2 objects/m);
  expect(out).toMatch(/^tokens +6 +exact +the tokenizer/m);
  expect(out).toMatch(/^price +\$0\.00 +exact/m);
  expect(out).toMatch(/^nothing is in the way$/m);
  expect((await system.reembed.tasks.page({ type: 'reindex' })).total).toBe(0);
  expect((await system.reembed.indexes.list()).map(({ name }) => name)).toEqual(['docs-v1']);
});

test('--json prints the whole plan, with the exit code of --fail-above', async () => {
  const { code, out, err } = await plan('--provider', 'words', '--json', '--fail-above', '5tokens');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ alias: 'docs', tokens: { value: 6, basis: 'exact' }, obstacles: [] });
  expect(err).toBe('the forecast is above 5tokens\n');
});

test('a forecast that is not above its limits has the exit code 0', async () => {
  const { code, err } = await plan('--provider', 'words', '--fail-above', '20usd', '--fail-above', '1d');
  expect([code, err]).toEqual([0, 'the forecast is not above 20usd\nthe forecast is not above 1d\n']);
});

test('an unknown figure has the exit code 3, and one that is above its limit wins', async () => {
  const unknown = await plan(...openai(), '--fail-above', '20usd');
  expect(unknown.code).toBe(3);
  expect(unknown.err).toMatch(/^cannot be compared with 20usd: the price of openai\/m is not known/);
  expect(unknown.out).toMatch(/^price +unknown +the price of openai\/m/m);
  expect((await plan(...openai(), '--fail-above', '20usd', '--fail-above', '1tokens')).code).toBe(1);
});

test('--no-probe makes no call of the model', async () => {
  const before = server.counts.requests;
  const { code, out } = await plan(...openai(), '--no-probe');
  expect([code, server.counts.requests]).toEqual([0, before]);
  expect(out).toContain('no call of the model was made');
});

test.each([
  [['--fail-above', 'much'], /It must be a limit such as 20usd/],
  [['--sample', '0'], /sampleObjects/],
])('%j is refused', async (options, message) => {
  const { code, err } = await plan('--provider', 'words', ...options);
  expect([code, err]).toEqual([2, expect.stringMatching(message)]);
});

test('options of a plan need --plan', async () => {
  const { code, err } = await cli(['reindex', 'docs', 'docs-v2', '--provider', 'words', '--no-probe']);
  expect([code, err]).toEqual([2, expect.stringContaining('require --plan')]);
});
