import { expect, it } from 'vitest';
import { SideReads } from '../../../src/api/reads/side-reads.ts';
import type { Embedder } from '../../../src/contract/embedder.ts';
import type { ModelConfig } from '../../../src/contract/models.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { setAlias } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { releaseLock } from '../../../src/store/protocol/lock-pair.ts';
import { setReads } from '../../../src/store/protocol/reads.ts';
import { getReadCounts } from '../../../src/store/read-counts.ts';
import { beginWatch, getWatchCounts, type WatchSums } from '../../../src/store/watch-counts.ts';
import { lockIn, uniqueName } from '../../store/builders.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { call, listeningLog, makeIndex, models, putObjects, testApi } from '../support.ts';

const PETS = [
  { id: 'cat', payload: 'a cat sleeps' },
  { id: 'dog', payload: 'a dog runs' },
];
const [OLD, NEW] = [64, 32];

const latencies = (sums: WatchSums) =>
  [...sums].reduce((sum, [name, count]) => (name.startsWith('ms.') ? sum + count : sum), 0);

/** A model of the new index that can fail, or not answer until it may. */
function createUnreliable() {
  const answers = new Set<() => void>();
  let mode: 'works' | 'fails' | 'hangs' = 'works';
  const embedder = (config: ModelConfig): Embedder => {
    const usual = models.embedder(config);
    if (usual.dimensions !== NEW) return usual;
    return {
      ...usual,
      async embed(texts, options) {
        if (mode === 'fails') throw new Error('the new model fails');
        // Deaf to the signal of its caller, as the worst of models.
        if (mode === 'hangs') await new Promise<void>((resolve) => answers.add(resolve));
        return usual.embed(texts, options);
      },
    };
  };
  return {
    embedder,
    be(next: typeof mode): void {
      mode = next;
    },
    hanging: () => answers.size,
    answerAll(): void {
      mode = 'works';
      for (const resolve of answers) resolve();
      answers.clear();
    },
  };
}

onBothDatabases((database) => {
  async function given({ shadow = 0, canary = 0, newModel = { provider: 'hash', dimensions: NEW } as object } = {}) {
    const { db } = database();
    const model = createUnreliable();
    const [old, next] = [uniqueName('old'), uniqueName('new')];
    const source = await makeIndex(db, old, { model: { provider: 'hash', dimensions: OLD } });
    await putObjects(db, source, PETS);
    await putObjects(db, await makeIndex(db, next, { model: newModel }), PETS);
    const alias = uniqueName('alias');
    await setAlias(db, alias, old);
    const { lock, taskId } = await lockIn(db, alias, next);
    const place = { lock, taskId, alias };
    await setReads(db, { ...place, shadow, canary });
    const metrics = createMetrics(['api']);
    const reads = new SideReads({ db, models: model, metrics, log: listeningLog(), draw: () => 0 });
    const app = testApi(db, { reads, metrics });
    const search = async (body: unknown, headers = {}) => {
      const answer = await call(app, 'POST', `/v1/indexes/${alias}/search`, body, headers);
      expect(answer.status).toBe(200);
      return answer.body as { index: string; hits: unknown[] };
    };
    const figures = async () => {
      await reads.close();
      return Object.fromEntries((await getReadCounts(db, taskId))?.counts ?? []);
    };
    return { db, model, old, next, alias, app, place, reads, metrics, search, figures };
  }
  const text = { text: 'a cat sleeps' };

  it('a canary answers from the new index, and the answer names it', async () => {
    const { db, old, next, place, search, figures, metrics } = await given({ canary: 0.5 });
    expect(await search(text)).toMatchObject({ index: next, hits: [{ id: 'cat' }, { id: 'dog' }] });
    expect(await search(text, { 'x-reembed-canary': 'old' })).toMatchObject({ index: old, hits: [{ id: 'cat' }, {}] });
    expect((await search(text, { 'X-Reembed-Canary': 'new' })).index).toBe(next);
    expect(await figures()).toMatchObject({ 'canary.other.searches': 2, 'canary.serving.searches': 1 });
    expect(await metrics.scrape()).toContain('reembed_reads_total{kind="canary",outcome="answered"} 2');
    await releaseLock(db, place.lock);
    expect((await search(text, { 'x-reembed-canary': 'new' })).index).toBe(old);
  });

  it('the serving index answers when the canary fails or does not answer in time, and that is counted', async () => {
    const { model, old, search, figures } = await given({ canary: 1 });
    model.be('fails');
    expect(await search(text)).toMatchObject({ index: old, hits: [{ id: 'cat' }, {}] });
    model.be('hangs');
    expect(await search({ ...text, timeoutSeconds: 60 })).toMatchObject({ index: old, hits: [{ id: 'cat' }, {}] });
    expect(model.hanging()).toBeGreaterThan(0);
    model.answerAll();
    expect(await figures()).toMatchObject({ 'canary.other.failed': 2, 'canary.serving.searches': 2 });
  });

  it('a shadow compares both indexes after the answer, and the answer is that of the serving index', async () => {
    const { model, old, metrics, search, figures } = await given({ shadow: 1 });
    model.be('hangs');
    expect(await search(text)).toMatchObject({ index: old, hits: [{ id: 'cat' }, { id: 'dog' }] });
    await expect.poll(model.hanging, { timeout: 90_000 }).toBe(1);
    model.answerAll();
    await search({ ...text, limit: 1 });
    await search({ ...text, filter: { no: 'such' } });
    const answered = 'reembed_reads_total{kind="shadow",outcome="answered"} 3';
    await expect.poll(() => metrics.scrape(), { timeout: 90_000 }).toContain(answered);
    expect(await figures()).toMatchObject({
      'shadow.overlap': 3,
      ...{ 'shadow.serving.searches': 3, 'shadow.serving.empty': 1 },
      ...{ 'shadow.other.searches': 3, 'shadow.other.empty': 1 },
    });
  });

  it('a shadow whose model fails or hangs neither breaks nor waits, and too many of them are dropped', async () => {
    const { model, old, metrics, search } = await given({ shadow: 1 });
    model.be('hangs');
    for (let at = 0; at < 30; at++) expect((await search(text)).index).toBe(old);
    expect(model.hanging()).toBeLessThanOrEqual(2);
    const dropped = /reembed_reads_total\{kind="shadow",outcome="dropped"\} (\d+)/.exec(await metrics.scrape());
    expect(Number(dropped?.[1])).toBe(30 - 2 - 20);
    model.be('fails');
    expect((await search(text)).index).toBe(old);
    model.answerAll();
  });

  it('a vector is never given to another model, but to the same one', async () => {
    const vector = Array.from({ length: OLD }, (_, at) => at + 1);
    const { old, search, figures } = await given({ shadow: 1, canary: 1 });
    expect((await search({ vector })).index).toBe(old);
    expect(await figures()).toMatchObject({ skipped: expect.any(Number), 'canary.serving.searches': 1 });
    const same = await given({ canary: 1, newModel: { provider: 'hash', dimensions: OLD } });
    expect((await same.search({ vector })).index).toBe(same.next);
  });

  it('a watch counts what the serving index answers, and failures that are not mistakes of the caller', async () => {
    const { db, model, place, reads, metrics, next, search } = await given();
    await beginWatch(db, place.lock, null);
    const app = testApi(db, { reads, metrics });
    const ask = async (name: string, body: object) =>
      (await call(app, 'POST', `/v1/indexes/${name}/search`, { ...text, ...body })).status;
    await search(text);
    await search({ ...text, filter: { no: 'such' } });
    expect(await ask(place.alias, { text: undefined, vector: [1] })).toBe(400);
    expect(await ask(next, {})).toBe(200);
    await reads.close();
    const before = (await getWatchCounts(db, place.lock, 1)).now;
    expect(Object.fromEntries(before)).toMatchObject({ answered: 2, empty: 1 });
    expect([before.get('failed'), latencies(before)]).toEqual([undefined, 2]);

    await releaseLock(db, place.lock);
    const { lock } = await lockIn(db, next, uniqueName('newest'), {
      destModel: { provider: 'hash', name: 'hash-v1', dimensions: OLD },
    });
    await beginWatch(db, lock, null);
    model.be('fails');
    expect(await ask(next, {})).toBeGreaterThanOrEqual(500);
    model.be('hangs');
    expect(await ask(next, { timeoutSeconds: 0.2 })).toBeGreaterThanOrEqual(500);
    // The failure may be counted just after the answer.
    const counted = async () => {
      await reads.close();
      return Object.fromEntries((await getWatchCounts(db, lock, 1)).now);
    };
    await expect.poll(counted, { timeout: 90_000 }).toEqual({ failed: 2 });
    model.answerAll();
  });

  it('a search that a canary answers counts for no watch', async () => {
    const { db, place, reads, search } = await given({ canary: 1 });
    await beginWatch(db, place.lock, null);
    await search(text);
    await search(text, { 'x-reembed-canary': 'old' });
    await reads.close();
    expect((await getWatchCounts(db, place.lock, 1)).now.get('answered')).toBe(1);
  });

  it('a canary answers a search with every option as the serving index does, by an object of its own', async () => {
    const { old, next, search, figures } = await given({ canary: 1 });
    const options = { fields: ['text', 'payload'], offset: 0, limit: 2, group: 'part', minScore: -1 };
    const ask = (body: object, side: string) => search({ ...body, ...options }, { 'x-reembed-canary': side });
    for (const body of [text, { id: 'cat' }]) {
      const [serving, canary] = [await ask(body, 'old'), await ask(body, 'new')];
      expect([serving.index, canary.index]).toEqual([old, next]);
      const contents = ({ hits }: typeof serving) =>
        (hits as Record<string, unknown>[])
          .map(({ score, version, ...hit }) => hit)
          .sort((a, b) => (`${a.id}` < `${b.id}` ? -1 : 1));
      expect(contents(canary)).toEqual(contents(serving));
      expect(canary.hits).toHaveLength('id' in body ? 1 : 2);
    }
    expect(await figures()).toMatchObject({ 'canary.other.searches': 2, 'canary.serving.searches': 2 });
  });

  it('a canary answers all searches of a batch or none, and the serving index those that it cannot answer', async () => {
    const { model, old, next, alias, app } = await given({ canary: 0.5 });
    const batch = async (headers: object) => {
      const body = { searches: [text, { id: 'cat' }, { ...text, fields: ['text'], limit: 1 }] };
      const answer = await call(app, 'POST', `/v1/indexes/${alias}/search/batch`, body, headers);
      return answer.body.results.map(({ index }: { index: string }) => index);
    };
    expect(await batch({ 'x-reembed-canary': 'new' })).toEqual([next, next, next]);
    expect(await batch({ 'x-reembed-canary': 'old' })).toEqual([old, old, old]);
    expect(new Set(await batch({})).size).toBe(1);
    model.be('fails');
    expect(await batch({ 'x-reembed-canary': 'new' })).toEqual([old, next, old]);
  });

  it('a search that only the new index refuses is a failure of it, of a canary and of a shadow', async () => {
    const { db, app, old, alias, next, metrics, search, figures } = await given({ shadow: 1, canary: 0.5 });
    const stored = await findIndex(db, old);
    if (!stored) throw new Error('there is no index');
    await putObjects(db, stored, [{ id: 'bird', payload: 'a bird sings' }]);
    expect((await search({ id: 'bird' }, { 'x-reembed-canary': 'new' })).index).toBe(old);
    expect((await search({ id: 'cat' }, { 'x-reembed-canary': 'new' })).index).toBe(next);
    const mistake = await call(app, 'POST', `/v1/indexes/${alias}/search`, { id: 'nobody' });
    expect(mistake.status).toBe(404);
    const failed = 'reembed_reads_total{kind="shadow",outcome="failed"} 1';
    await expect.poll(() => metrics.scrape(), { timeout: 90_000 }).toContain(failed);
    const counted = { 'shadow.other.failed': 1, 'canary.other.failed': 1, 'canary.other.searches': 1 };
    expect(await figures()).toMatchObject(counted);
  });

  it('an example that does not exist is not a failure of the canary', async () => {
    const { search, figures, alias, app } = await given({ canary: 1 });
    expect((await call(app, 'POST', `/v1/indexes/${alias}/search`, { id: 'nothing' })).status).toBe(404);
    await search(text);
    expect(await figures()).not.toHaveProperty(['canary.other.failed']);
  });

  it('a header that is too long is refused, naming it', async () => {
    const { db } = await given();
    const answer = await call(testApi(db), 'POST', '/v1/indexes/docs/search', text, {
      'x-reembed-canary': 'k'.repeat(201),
    });
    expect([answer.status, answer.body.issues[0].path]).toEqual([400, 'header.X-Reembed-Canary']);
  });
});
