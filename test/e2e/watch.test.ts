import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { watchOf } from '../../src/contract/watch.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import { compareIndexes } from '../../src/store/protocol/verify.ts';
import { cli } from '../cli/support.ts';
import { uniqueName } from '../store/builders.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { type System, startSystem } from '../support/system.ts';

const POLL = { timeout: 90_000, interval: 200 };
const RETIRE = { after: '2h', keepCurrent: true };

let system: System;
let embeddings: EmbeddingServer;
beforeAll(async () => {
  [system, embeddings] = await Promise.all([startSystem(), startEmbeddingServer({ dimensions: 8 })]);
});
afterAll(async () => {
  await system?.stop();
  await embeddings?.close();
});

const newModel = () => ({ provider: 'openai', name: 'new', dimensions: 8, baseUrl: embeddings.url }) as const;

/** An alias on an index of some texts. */
async function givenAlias() {
  const { reembed } = system;
  const [source, dest, alias] = [uniqueName('old'), uniqueName('new'), uniqueName('alias')];
  await reembed.indexes.create(source, { model: { provider: 'hash', dimensions: 64 } });
  await reembed.aliases.set(alias, source);
  const items = Array.from({ length: 20 }, (_, at) => ({ id: `o${at}`, payload: `text ${at}` }));
  await reembed.tasks.upsert({ index: alias, items }, { wait: true });
  return { source, dest, alias };
}

/** Searches and writes by the alias until it is stopped. */
function startTraffic(alias: string) {
  const { reembed } = system;
  const written = new Map<string, string>();
  let last: string | undefined;
  let stopped = false;
  const repeat = async (work: (at: number) => Promise<void>) => {
    for (let at = 0; !stopped; at++) await work(at);
  };
  const searching = repeat(async (at) => {
    const answer = await reembed.search(alias, { text: `question ${at}` }).catch(() => undefined);
    last = answer?.index;
  });
  const writing = repeat(async (at) => {
    const [id, payload] = [`w${at % 10}`, `text ${randomUUID()}`];
    const { status } = await reembed.tasks.upsert({ index: alias, items: [{ id, payload }] }, { wait: true });
    if (status !== 'done') throw new Error(`the write ${at} is ${status}`);
    written.set(id, payload);
  });
  return {
    written,
    answeredBy: () => last,
    async stop(): Promise<void> {
      stopped = true;
      await Promise.all([searching, writing]);
    },
  };
}

test('a model that fails after the switch loses the alias again by itself, and no write made meanwhile', async () => {
  const { reembed, database, url } = system;
  const { source, dest, alias } = await givenAlias();
  const watch = { for: '1h', rollBackIf: { errorShare: 0.5, minSearches: 10 } };
  const { id } = await reembed.tasks.reindex(
    { source: alias, dest, destModel: newModel(), retire: RETIRE, watch },
    { wait: true },
  );
  const kept = `${id}/retire/1`;
  embeddings.behave(({ texts }) =>
    texts.some((text) => text.includes('question')) ? { kind: 'error', status: 500 } : undefined,
  );
  const traffic = startTraffic(alias);
  await expect.poll(traffic.answeredBy, POLL).toBe(source);
  await traffic.stop();
  embeddings.behave(() => undefined);

  const tracker = await reembed.tasks.info(kept);
  const reason = expect.stringMatching(/^errorShare [\d.]+ exceeds 0\.5; \d+ searches since /);
  expect(tracker).toMatchObject({
    status: 'waiting',
    detail: expect.stringContaining(`rolled back from ${dest} to ${source} (errorShare`),
    steering: [{ call: 'roll-back', by: 'watch', reason }],
    data: { rollBack: { by: 'watch', reason }, watch: { verdict: 'rolled-back', problem: null } },
  });
  for (const [wid, payload] of traffic.written) {
    expect((await reembed.objects.get(alias, wid)).payload).toBe(payload);
  }
  const [from, to] = [await resolveIndex(database.db, source), await resolveIndex(database.db, dest)];
  const pair = { sourceNo: from.no, destNo: to.no };
  await expect
    .poll(async () => (await compareIndexes(database.db, pair, Number.MAX_SAFE_INTEGER)).behind, POLL)
    .toBe(0);
  const shown = await cli(['tasks', 'info', kept], { env: { REEMBED_URL: url } });
  expect(shown.out).toContain('"verdict":"rolled-back"');
  await reembed.tasks.cancel(kept);
});

test('lists show a watch, and its baseline is how the old index did before the switch', async () => {
  const { reembed } = system;
  const { dest, alias } = await givenAlias();
  const watch = { for: '1h', rollBackIf: { latencyP95Ratio: 1_000, minSearches: 5 } };
  const body = { source: alias, dest, destModel: newModel(), retire: RETIRE, watch, approve: 'manual' } as const;
  const { id } = await reembed.tasks.reindex(body);
  await expect.poll(async () => (await reembed.tasks.info(id)).data.phase, POLL).toBe('approval');
  const search = () => reembed.search(alias, { text: 'a question' });
  for (let at = 0; at < 6; at++) await search();
  await reembed.tasks.approve(id);
  await expect.poll(async () => (await reembed.tasks.info(id)).status, POLL).toBe('done');
  for (let at = 0; at < 7; at++) expect((await search()).index).toBe(dest);

  const listed = async () => {
    for await (const task of reembed.tasks.list({ type: 'delete-index' })) {
      if (task.id === `${id}/retire/1`) return watchOf(task.data ?? {});
    }
    return undefined;
  };
  await expect.poll(async () => (await listed())?.verdict, POLL).toBe('watching');
  const figures = { emptyShare: 0, errorShare: 0, latencyP95Ms: expect.any(Number) };
  expect(await listed()).toMatchObject({ searches: 7, ...figures, baseline: { searches: 6, ...figures }, why: null });
  await reembed.tasks.cancel(`${id}/retire/1`);
});

test('a watch that could never roll back is refused, naming the field', async () => {
  const { reembed } = system;
  const { source, dest, alias } = await givenAlias();
  const watch = { for: '1h', rollBackIf: { errorShare: 0.5 } };
  const refusal = async (body: Partial<Parameters<typeof reembed.tasks.reindex>[0]>, path: string) => {
    const started = reembed.tasks.reindex({
      source: alias,
      dest,
      destModel: newModel(),
      retire: RETIRE,
      watch,
      ...body,
    });
    await expect(started).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path }] });
  };
  await refusal({ source }, 'watch');
  await refusal({ retire: 'now' }, 'watch');
  await refusal({ retire: { after: '30m', keepCurrent: true } }, 'watch.for');
  await expect(reembed.indexes.get(dest)).rejects.toMatchObject({ type: 'IndexNotFound' });
});
