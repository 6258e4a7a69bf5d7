import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { modelSchema } from '../../src/contract/models.ts';
import { createProcessModels } from '../../src/runtime/wiring.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { type Db, openDatabase } from '../../src/store/database.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';

let database: TestDatabase;
let second: Db;
let server: EmbeddingServer;
beforeAll(async () => {
  database = await openPostgresDatabase();
  second = openDatabase({ url: database.url });
  server = await startEmbeddingServer();
});
afterAll(async () => {
  await second?.destroy();
  await database?.close();
  await server?.close();
});

/** The same model in two processes, each with its own connections. */
function twoProcesses(name: string, limit?: object): [Embedder, Embedder] {
  const limits = limit === undefined ? {} : { REEMBED_MODEL_LIMITS: JSON.stringify({ [`openai/${name}`]: limit }) };
  const config = modelSchema.parse({ provider: 'openai', name, dimensions: 8, baseUrl: server.url });
  const embedderOn = (db: Db) => createProcessModels(readSettings(limits), db).embedder(config);
  return [embedderOn(database.db), embedderOn(second)];
}

const purpose = 'document' as const;

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

test('two processes together call a model no more often than its limit allows', async () => {
  // Sixty at once, and then nine each second.
  const both = twoProcesses('limited', { requestsPerMinute: 600 });
  const before = server.counts.requests;
  const calls = () => both.flatMap((embedder) => Array.from({ length: 40 }, () => embedder.embed(['a'], { purpose })));
  expect(await msOf(() => Promise.all(calls()))).toBeGreaterThan(((80 - 61) / 9) * 1_000);
  expect(server.counts.requests - before).toBe(80);
});

test('a call that must not wait is refused without being made', async () => {
  const [one, other] = twoProcesses('scarce', { tokensPerMinute: 60 });
  await one.embed(['a text of some tokens '.repeat(20)], { purpose });
  const before = server.counts.requests;
  const refused = other.embed(['b'], { purpose, maxWaitMs: 100 });
  await expect(refused).rejects.toMatchObject({ type: 'ModelRateLimited', retryAfterMs: expect.any(Number) });
  expect(server.counts.requests).toBe(before);
});

test('a delayed call is not made when its caller declines', async () => {
  const [one] = twoProcesses('held', { requestsPerMinute: 60 });
  await Promise.all(Array.from({ length: 8 }, () => one.embed(['a'], { purpose })));
  const before = server.counts.requests;
  const afterHold = async () => {
    throw new Error('no longer');
  };
  await expect(one.embed(['b'], { purpose, afterHold })).rejects.toThrow('no longer');
  expect(server.counts.requests).toBe(before);
});

test.each([
  ['without limits', 'unlimited', undefined],
  ['with limits', 'roomy', { requestsPerMinute: 100_000 }],
])('other processes wait too when a model %s asks one to slow down', async (_what, name, limits) => {
  const [one, other] = twoProcesses(name, limits);
  let turn = 0;
  server.behave(() => (turn++ === 0 ? { kind: 'error', status: 429, headers: { 'retry-after': '2' } } : undefined));
  const rejected = one.embed(['a'], { purpose });
  await expect(rejected).rejects.toMatchObject({ type: 'ModelRateLimited', retryAfterMs: 2_000 });
  const before = server.counts.requests;
  await expect(other.embed(['b'], { purpose, maxWaitMs: 100 })).rejects.toMatchObject({ type: 'ModelRateLimited' });
  expect(server.counts.requests).toBe(before);
  await other.embed(['b'], { purpose });
  await one.embed(['a'], { purpose });
  expect(server.counts.requests).toBe(before + 2);
});

test('invalid limits are reported when the process starts', () => {
  for (const bad of ['{', '[]', '{"openai/a": {}}', '{"hash/a": {"requestsPerMinute": 1}}', '{"openai/a": 3}']) {
    expect(() => readSettings({ REEMBED_MODEL_LIMITS: bad })).toThrow(/REEMBED_MODEL_LIMITS/);
  }
});
