import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReadsReport } from '../../src/client/client.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import { compareIndexes } from '../../src/store/protocol/verify.ts';
import { cli } from '../cli/support.ts';
import { uniqueName } from '../store/builders.ts';
import { type System, startSystem } from '../support/system.ts';

const POLL = { timeout: 90_000, interval: 100 };
const OLD = { provider: 'hash', dimensions: 64 } as const;
const NEW = { provider: 'words' } as const;
const WORDS = ['lion', 'ship', 'sofa', 'rain', 'bread', 'violin', 'forest', 'king', 'snow', 'money'];

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

/** An alias on an index of thirty texts. */
async function givenAlias() {
  const { reembed } = system;
  const [source, dest, alias] = [uniqueName('old'), uniqueName('new'), uniqueName('alias')];
  await reembed.indexes.create(source, { model: OLD });
  await reembed.aliases.set(alias, source);
  const items = Array.from({ length: 30 }, (_, at) => ({ id: `o${at}`, payload: `${WORDS[at % 10]} and ${at}` }));
  await reembed.tasks.upsert({ index: alias, items }, { wait: true });
  return { source, dest, alias };
}

async function trackerWhen(taskId: string, fits: (tracker: Tracker) => boolean): Promise<Tracker> {
  let last: Tracker | undefined;
  await expect
    .poll(async () => {
      last = await system.reembed.tasks.info(taskId);
      return fits(last);
    }, POLL)
    .toBe(true);
  return last as Tracker;
}

const isWaiting = ({ status, data }: Tracker) => status === 'waiting' && data.phase === 'approval';
const reportOf = (taskId: string) => system.reembed.tasks.reads(taskId);

/** Searches and writes by the alias until it is stopped. */
function startTraffic(alias: string) {
  const { reembed } = system;
  const written = new Map<string, string>();
  const answers: { key: string; index: string }[] = [];
  let stopped = false;
  const repeat = async (work: (at: number) => Promise<void>) => {
    for (let at = 0; !stopped; at++) await work(at);
  };
  const searching = [0, 1].map((lane) =>
    repeat(async (at) => {
      const key = `user-${lane}-${at % 50}`;
      const { index } = await reembed.search(alias, { text: WORDS[at % 10] as string }, { canary: key });
      answers.push({ key, index });
    }),
  );
  const writing = repeat(async (at) => {
    const [id, payload] = [`w${at % 20}`, `${WORDS[at % 10]} ${randomUUID()}`];
    const { status } = await reembed.tasks.upsert({ index: alias, items: [{ id, payload }] }, { wait: true });
    if (status !== 'done') throw new Error(`the write ${at} is ${status}`);
    written.set(id, payload);
  });
  return {
    answers,
    written,
    async stop(): Promise<void> {
      stopped = true;
      await Promise.all([...searching, writing]);
    },
  };
}

test('a reindex that waits for an approval gets its shares of live searches, until it is rejected', async () => {
  const { reembed } = system;
  const { source, dest, alias } = await givenAlias();
  const approve = 'manual';
  const body = { source: alias, dest, destModel: NEW, approve, shadow: 1, canary: 0.25 } as const;
  const { id } = await reembed.tasks.reindex(body);
  const traffic = startTraffic(alias);
  const waiting = await trackerWhen(id, isWaiting);
  expect(waiting.data.reads).toEqual({ shadow: 1, canary: 0.25, since: expect.any(String) });

  let report: ReadsReport | undefined;
  const isEnough = async () => {
    report = await reportOf(id);
    const { shadow, canary } = report;
    return shadow.other.searches >= 20 && canary.other.searches + canary.serving.searches >= 150;
  };
  await expect.poll(isEnough, POLL).toBe(true);
  expect(report).toMatchObject({
    ...{ taskId: id, alias, until: null, skipped: 0 },
    shadow: { share: 1, serving: { index: source }, other: { index: dest, failed: 0 } },
    canary: { share: 0.25, serving: { index: source, failed: 0 }, other: { index: dest, failed: 0 } },
  });
  const { shadow, canary } = report as ReadsReport;
  const share = canary.other.searches / (canary.other.searches + canary.serving.searches);
  expect(share).toBeGreaterThan(0.12);
  expect(share).toBeLessThan(0.4);
  expect(shadow.overlap).toBeGreaterThan(0);
  for (const { p50Ms, p95Ms } of [shadow.serving, shadow.other, canary.serving, canary.other]) {
    expect(p50Ms).toBeGreaterThan(0);
    expect(p95Ms).toBeGreaterThanOrEqual(p50Ms as number);
  }

  const changed = await reembed.tasks.setReads(id, { canary: 0 });
  expect(changed.data.reads).toEqual({ shadow: 1, canary: 0, since: expect.any(String) });
  expect(changed.steering[0]).toMatchObject({ call: 'reads' });
  for (const key of ['new', 'user-1', undefined]) {
    expect((await reembed.search(alias, { text: 'lion' }, { canary: key })).index).toBe(source);
  }
  const shares = ['--shadow', '0', '--canary', '1'];
  expect(await cli(['tasks', 'reads', id, ...shares], { env: { REEMBED_URL: system.url } })).toMatchObject({ code: 0 });
  expect((await reembed.search(alias, { text: 'lion' })).index).toBe(dest);

  await reembed.tasks.reject(id, 'compared');
  await trackerWhen(id, ({ status }) => status === 'refused');
  expect((await reembed.search(alias, { text: 'lion' }, { canary: 'new' })).index).toBe(source);
  await traffic.stop();

  const sides = new Map<string, Set<string>>();
  for (const { key, index } of traffic.answers) sides.set(index, (sides.get(index) ?? new Set()).add(key));
  expect([...sides.keys()].sort()).toEqual([dest, source].sort());
  for (const [wid, payload] of traffic.written) {
    expect((await reembed.objects.get(source, wid)).payload).toBe(payload);
  }
  expect(await reportOf(id)).toMatchObject({ until: expect.any(String), canary: { share: 1 } });
});

test('a canary keeps a user on one side, and the approved index has every write made meanwhile', async () => {
  const { reembed, database } = system;
  const { source, dest, alias } = await givenAlias();
  const { id } = await reembed.tasks.reindex({ source: alias, dest, destModel: NEW, approve: 'manual', canary: 0.3 });
  await trackerWhen(id, isWaiting);
  const traffic = startTraffic(alias);
  await expect.poll(() => traffic.answers.length, POLL).toBeGreaterThan(300);
  const before = [...traffic.answers];
  await reembed.tasks.approve(id);
  await trackerWhen(id, ({ status }) => status === 'done');
  await traffic.stop();

  const sideOf = new Map(before.map(({ key, index }) => [key, index]));
  expect(before.filter(({ key, index }) => sideOf.get(key) !== index)).toEqual([]);
  expect(new Set(sideOf.values())).toEqual(new Set([source, dest]));
  for (const [wid, payload] of traffic.written) {
    expect((await reembed.objects.get(alias, wid)).payload).toBe(payload);
  }
  const [from, to] = [await resolveIndex(database.db, source), await resolveIndex(database.db, dest)];
  const pair = { sourceNo: from.no, destNo: to.no };
  expect(await compareIndexes(database.db, pair, Number.MAX_SAFE_INTEGER)).toMatchObject({ behind: 0 });
});

test('a shadow continues after the switch while the old index is kept current, and can be ended', async () => {
  const { reembed, url } = system;
  const { source, dest, alias } = await givenAlias();
  const retire = { after: '1h', keepCurrent: true };
  const { id } = await reembed.tasks.reindex(
    { source: alias, dest, destModel: NEW, retire, shadow: 1 },
    { wait: true },
  );
  const kept = `${id}/retire/1`;
  const search = async () => expect((await reembed.search(alias, { text: 'lion' })).index).toBe(dest);
  const compared = async () => {
    await search();
    return (await reportOf(kept)).shadow.other.searches;
  };
  await expect.poll(compared, POLL).toBeGreaterThan(0);
  expect(await reportOf(kept)).toMatchObject({ shadow: { serving: { index: dest }, other: { index: source } } });

  for (const command of ['info', 'reads']) {
    const shown = await cli(['tasks', command, kept], { env: { REEMBED_URL: url } });
    expect(shown.out).toContain(`searches of ${alias}, since`);
    expect(shown.out).toMatch(new RegExp(`shadow +${source} +\\d`));
  }
  const refused = reembed.tasks.setReads(kept, { canary: 0.1 });
  await expect(refused).rejects.toMatchObject({ type: 'InvalidInput' });
  const ended = await reembed.tasks.setReads(kept, { shadow: 0 });
  expect(ended.data.reads).toMatchObject({ shadow: 0 });
  await search();
  await reembed.tasks.cancel(kept);
  expect(await reportOf(kept)).toMatchObject({ until: expect.any(String) });
});

test('shares that would never be used are refused, naming the field', async () => {
  const { reembed } = system;
  const { source, dest, alias } = await givenAlias();
  const refusal = async (body: Partial<Parameters<typeof reembed.tasks.reindex>[0]>, field: string) => {
    const started = reembed.tasks.reindex({ source: alias, dest, destModel: NEW, ...body });
    await expect(started).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: field }] });
  };
  await refusal({ canary: 0.1 }, 'canary');
  await refusal({ shadow: 0.1, retire: { after: '1h' } }, 'shadow');
  await refusal({ shadow: 1.5, approve: 'manual' }, 'shadow');
  await refusal({ source, shadow: 0.1, approve: 'manual' }, 'shadow');
  const { id } = await reembed.tasks.reindex({ source, dest, destModel: NEW, approve: 'manual' });
  await trackerWhen(id, isWaiting);
  const problem = 'the task switches no alias';
  await expect(reembed.tasks.setReads(id, { shadow: 0.1 })).rejects.toMatchObject({ message: problem });
  await reembed.tasks.reject(id);
});

test('figures of several processes add up', async () => {
  const { reembed } = system;
  const { dest, alias } = await givenAlias();
  const { id } = await reembed.tasks.reindex({ source: alias, dest, destModel: OLD, approve: 'manual', canary: 1 });
  await trackerWhen(id, isWaiting);
  const second = await system.listen();
  for (const at of [system.url, second]) {
    const response = await fetch(`${at}/v1/indexes/${alias}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'lion' }),
    });
    expect(await response.json()).toMatchObject({ index: dest });
  }
  await expect.poll(async () => (await reportOf(id)).canary.other.searches, POLL).toBe(2);
  await reembed.tasks.reject(id);
});
