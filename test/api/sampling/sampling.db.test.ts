import { describe, expect, it } from 'vitest';
import { SearchSampler } from '../../../src/api/sampling/sampler.ts';
import { LIMITS } from '../../../src/contract/limits.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { setAlias } from '../../../src/store/aliases.ts';
import { uniqueName } from '../../store/builders.ts';
import { onBothDatabases } from '../../support/databases.ts';
import { call, listeningLog, makeIndex, putObjects, testApi } from '../support.ts';

const PETS = [
  { id: 'cat', payload: 'a cat sleeps' },
  { id: 'dog', payload: 'a dog runs' },
];
const TOKENS = (['view', 'operate', 'queries', 'approve', 'admin'] as const).map((role) => ({
  ...{ name: `the-${role}`, role, token: `token-of-${role}-with-24-characters` },
}));

onBothDatabases((database) => {
  async function given({ share = 1 } = {}) {
    const { db } = database();
    const index = await makeIndex(db, uniqueName());
    await putObjects(db, index, PETS);
    const alias = uniqueName('alias');
    await setAlias(db, alias, index.name);
    const [log, metrics] = [listeningLog(), createMetrics(['api'])];
    const sampler = new SearchSampler({ db, metrics, log, draw: () => 0 });
    const app = testApi(db, { log, metrics, sampler });
    const path = `/v1/aliases/${alias}`;
    if (share > 0) await call(app, 'PUT', `${path}/sampling`, { share });
    const search = async (body: object, name = alias) => {
      const answer = await call(app, 'POST', `/v1/indexes/${name}/search`, body);
      expect(answer.status).toBe(200);
    };
    const searches = async (query = '') => {
      await sampler.flush();
      return (await call(app, 'GET', `${path}/sampled-searches${query}`)).body;
    };
    return { db, app, alias, index, path, log, metrics, search, searches };
  }

  describe('sampling', () => {
    it('keeps no searches unless it is set, and shows so', async () => {
      const { app, path, search, searches } = await given({ share: 0 });
      await search({ text: 'a cat' });
      expect(await searches()).toEqual({ searches: [], cursor: null });
      expect((await call(app, 'GET', `${path}/sampling`)).body).toMatchObject({ share: 0, keep: null, searches: 0 });
    });

    it('keeps searches by text through the alias, without payloads', async () => {
      const { alias, index, search, searches, metrics } = await given();
      await search({ text: 'a cat sleeps', limit: 1 });
      await search({ text: 'a dog', filter: { no: 'such' } });
      await search({ vector: Array.from({ length: 256 }, () => 1) });
      await search({ text: 'by the name of the index' }, index.name);
      const { searches: kept } = await searches();
      expect(kept).toMatchObject([
        { text: 'a dog', limit: 10, filtered: true, hits: [], index: index.name },
        { text: 'a cat sleeps', limit: 1, filtered: false, hits: ['cat'] },
      ]);
      expect(JSON.stringify(kept)).not.toContain(alias);
      expect(await metrics.scrape()).toContain('reembed_sampled_searches_total{outcome="stored"} 2');
    });

    it('pages through the searches, and refuses a cursor of another list by field', async () => {
      const { app, path, search, searches } = await given();
      for (const text of ['one', 'two', 'three']) await search({ text });
      const first = await searches('?limit=2');
      expect(first.searches).toMatchObject([{ text: 'three' }, { text: 'two' }]);
      expect(await searches(`?limit=2&cursor=${first.cursor}`)).toMatchObject({
        ...{ searches: [{ text: 'one' }], cursor: null },
      });
      for (const text of ['q:7', 's:x', 's:1e3']) {
        const cursor = Buffer.from(text).toString('base64url');
        const refused = await call(app, 'GET', `${path}/sampled-searches?cursor=${cursor}`);
        expect(refused).toMatchObject({ status: 400, body: { issues: [{ path: 'query.cursor' }] } });
      }
    });

    it('is set with a share and a time, and ended with its searches', async () => {
      const { app, path, alias, search, searches } = await given();
      await search({ text: 'a cat' });
      await searches();
      const set = await call(app, 'PUT', `${path}/sampling`, { share: 0.25, keep: 7_200 });
      expect(set).toMatchObject({ status: 200, body: { alias, share: 0.25, keep: '2h', searches: 1 } });
      expect((await call(app, 'PUT', `${path}/sampling`, { share: 0.25 })).body).toMatchObject({ keep: '7d' });
      expect((await call(app, 'DELETE', `${path}/sampling`)).status).toBe(204);
      await search({ text: 'a dog' });
      expect(await searches()).toMatchObject({ searches: [] });
    });

    it.each([
      ['no share', {}, 'share'],
      ['a negative share', { share: -0.1 }, 'share'],
      ['a share above 1', { share: 1.01 }, 'share'],
      ['a text as a share', { share: '1' }, 'share'],
      ['a short time', { share: 1, keep: '59s' }, 'keep'],
      ['a long time', { share: 1, keep: '91d' }, 'keep'],
      ['an unknown field', { share: 1, sample: 2 }, 'sample'],
    ])('refuses %s by field, and changes nothing', async (_what, body, field) => {
      const { app, path } = await given({ share: 0.5 });
      const refused = await call(app, 'PUT', `${path}/sampling`, body);
      expect(refused.status).toBe(400);
      expect(refused.body.issues.map((issue: { path: string }) => issue.path)).toContain(field);
      expect((await call(app, 'GET', `${path}/sampling`)).body).toMatchObject({ share: 0.5, keep: '7d' });
    });

    it('leaves no text in the log, whether searches, reads and sets succeed or fail', async () => {
      const { app, path, alias, log, search, searches } = await given();
      await search({ text: 'zebra crossing' });
      await call(app, 'POST', `/v1/indexes/${alias}/search`, { text: 'zebra crossing', limit: 0 });
      await searches();
      await call(app, 'PUT', '/v1/query-sets/zebras/sampled', { alias });
      await call(app, 'PUT', '/v1/query-sets/zebras/sampled', { alias, count: 0 });
      await call(app, 'GET', `${path}/sampled-searches?cursor=x`);
      expect(log.lines.length).toBeGreaterThan(5);
      expect(JSON.stringify(log.lines)).not.toContain('zebra crossing');
    });
  });

  describe('PUT /v1/query-sets/{querySet}/sampled', () => {
    const make = (app: Awaited<ReturnType<typeof given>>['app'], name: string, body: object) =>
      call(app, 'PUT', `/v1/query-sets/${name}/sampled`, body);

    it('makes a set of the different texts, and replaces it the second time', async () => {
      const { app, alias, search, searches } = await given();
      for (const text of ['a cat', 'a dog', 'a cat', 'a bird']) await search({ text });
      await searches();
      const name = uniqueName('set');
      expect(await make(app, name, { alias })).toMatchObject({
        status: 201,
        body: { name, queries: 3, judged: 0, knownItem: null, sampled: { alias, seed: null } },
      });
      const { queries } = (await call(app, 'GET', `/v1/query-sets/${name}/queries`)).body;
      expect(queries.map(({ text }: { text: string }) => text).sort()).toEqual(['a bird', 'a cat', 'a dog']);
      expect(queries[0]).toMatchObject({ relevant: [], metadata: {} });
      expect(await make(app, name, { alias, count: 1, seed: 7 })).toMatchObject({
        status: 200,
        body: { queries: 1, sampled: { alias, seed: 7 } },
      });
    });

    it('says what to do where there are no sampled searches, and stores nothing', async () => {
      const { app, alias } = await given({ share: 0 });
      const name = uniqueName('set');
      const messageOf = async () => {
        const { status, body } = await make(app, name, { alias });
        expect(status).toBe(400);
        return body.issues;
      };
      expect(await messageOf()).toEqual([
        {
          path: 'alias',
          message: `${alias} samples no searches; set a share with PUT /v1/aliases/${alias}/sampling`,
        },
      ]);
      await call(app, 'PUT', `/v1/aliases/${alias}/sampling`, { share: 0.01 });
      expect(await messageOf()).toMatchObject([{ path: 'alias', message: expect.stringMatching(/yet.*0\.01/) }]);
      expect((await make(app, name, { alias: 'nowhere' })).status).toBe(404);
      expect((await call(app, 'GET', `/v1/query-sets/${name}`)).status).toBe(404);
    });

    it.each([
      ['no alias', {}, 'alias'],
      ['no queries', { alias: 'docs', count: 0 }, 'count'],
      ['too many queries', { alias: 'docs', count: LIMITS.queriesPerSet + 1 }, 'count'],
      ['a negative seed', { alias: 'docs', seed: -1 }, 'seed'],
      ['an unknown field', { alias: 'docs', queries: 5 }, 'queries'],
    ])('refuses %s by field', async (_what, body, field) => {
      const { status, body: refused } = await make(testApi(database().db), uniqueName('set'), body);
      expect(status).toBe(400);
      expect(refused.issues.map((issue: { path: string }) => issue.path)).toContain(field);
    });
  });

  it('only the roles queries and admin read sampled searches and make sets from them', async () => {
    const { db, alias, search, searches } = await given();
    await search({ text: 'a cat' });
    await searches();
    const app = testApi(db, { settings: { apiTokens: TOKENS } });
    const statuses = async (method: string, path: string, body?: object) =>
      Promise.all(
        TOKENS.map(async ({ role, token }) => {
          const { status } = await call(app, method, path, body, { authorization: `Bearer ${token}` });
          return [role, status < 300];
        }),
      ).then(Object.fromEntries);
    const own = { view: false, operate: false, queries: true, approve: false, admin: true };
    expect(await statuses('GET', `/v1/aliases/${alias}/sampled-searches`)).toEqual(own);
    expect(await statuses('PUT', `/v1/query-sets/${uniqueName('set')}/sampled`, { alias })).toEqual(own);
    const admin = { view: false, operate: false, queries: false, approve: false, admin: true };
    expect(await statuses('PUT', `/v1/aliases/${alias}/sampling`, { share: 1 })).toEqual(admin);
    expect(await statuses('DELETE', `/v1/aliases/${alias}/sampling`)).toEqual(admin);
  });
});
