import { afterEach, describe, expect, test } from 'vitest';
import { type IndexConfigInput, indexConfigSchema } from '../../src/contract/indexes.ts';
import { createModels } from '../../src/models/models.ts';
import { prepareObjects } from '../../src/pipeline/prepare.ts';
import type { Prepared } from '../../src/pipeline/prepared.ts';
import { loadTokenizer } from '../../src/tokenizers/tokenizer.ts';
import { mixedCorpus } from '../support/corpus.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { TOKENIZERS, tokenizerFolder } from '../support/tokenizers.ts';

const tokenizerDir = tokenizerFolder();
const WINDOW = 512;
const ADDED = 2;

let server: EmbeddingServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** What a provider counts as tokens. */
type Count = (text: string) => number;

const bytes: Count = (text) => Buffer.byteLength(text) + ADDED;

/** Starts a model that cuts each text to a window in silence, and tells only how many tokens it has read. */
async function startCutting(count: Count, window: number): Promise<EmbeddingServer> {
  server = await startEmbeddingServer({ tokensOf: (text) => Math.min(window, count(text)) });
  return server;
}

interface Given {
  splitter?: IndexConfigInput['splitter'];
  model?: object;
}

async function prepare(payloads: Record<string, string>, { splitter, model }: Given) {
  const { url } = server as EmbeddingServer;
  const config = indexConfigSchema.parse({
    model: { provider: 'openai', name: 'of-tests', dimensions: 8, baseUrl: url, ...model },
    splitter,
  });
  const all: Pick<Prepared, 'ready' | 'failed' | 'truncated'> = { ready: [], failed: [], truncated: 0 };
  const items = Object.entries(payloads).map(([id, payload]) => ({ id, payload }));
  const portions = prepareObjects(items, {
    config,
    tokenizerDir,
    embedder: createModels({ env: {} }).embedder(config.model),
    loader: async ({ payload }) => payload ?? '',
    pause: async () => {},
  });
  for await (const { ready, failed, truncated } of portions) {
    all.ready.push(...ready);
    all.failed.push(...failed);
    all.truncated += truncated;
  }
  return all;
}

/** What the model has not read in full of each object. */
function unreadOf({ ready }: Pick<Prepared, 'ready'>, count: Count, window: number): Record<string, string> {
  const unread: Record<string, string> = {};
  for (const { id, payload, parts } of ready) {
    const text = String(payload);
    let [covered, left] = [0, ''];
    for (const { start, end } of parts) {
      if (start === null || end === null || count(text.slice(start, end)) > window) continue;
      left += text.slice(covered, Math.max(start, covered)).trim();
      covered = Math.max(covered, end);
    }
    left += text.slice(covered).trim();
    if (left !== '') unread[id] = left;
  }
  return unread;
}

/** The beginnings of its texts, each longer than the window. */
const corpus = () =>
  Object.fromEntries(Object.entries(mixedCorpus()).map(([what, text]) => [what, text.slice(0, 2_800)]));

const SPLITTERS = {
  'by characters': { chunkSize: 2_000, chunkOverlap: 200 },
  'by tokens': { chunkTokens: WINDOW, overlapTokens: 46 },
};

describe.each(TOKENIZERS.filter((name) => name !== 'estimate'))('a model that counts by %s', (name) => {
  test.each(Object.entries(SPLITTERS))('reads all of a mixed corpus that is split %s', async (_, splitter) => {
    const { countWhole } = await loadTokenizer({ name, dir: tokenizerDir });
    await startCutting(countWhole, WINDOW);
    for (const tokenizer of [name, 'estimate']) {
      const all = await prepare(corpus(), {
        splitter: { ...splitter, tokenizer },
        model: { windowTokens: WINDOW },
      });
      expect(all.failed).toEqual([]);
      expect(unreadOf(all, countWhole, WINDOW)).toEqual({});
      // A tokenizer that fits leaves nothing to find.
      expect(all.truncated).toBe(0);
    }
  });
});

test.each([
  ['markdown', 'markdown'],
  ['html', 'html'],
  ['code', 'typescript'],
] as const)('a model reads all of a text that is split as %s, with a prefix before each part', async (format, what) => {
  const { countWhole } = await loadTokenizer({ name: 'bert', dir: tokenizerDir });
  await startCutting(countWhole, WINDOW);
  const { [what]: text = '', Chinese = '' } = corpus();
  const all = await prepare(
    { [what]: text, Chinese },
    {
      splitter: { chunkTokens: 300, tokenizer: 'bert', format },
      model: { windowTokens: WINDOW, documentPrefix: 'passage: ' },
    },
  );
  expect(all.failed).toEqual([]);
  expect(unreadOf(all, (part) => countWhole(`passage: ${part}`), WINDOW)).toEqual({});
});

describe('a model whose tokens are far shorter than estimated', () => {
  // Each byte is a token, so that most parts are over the window by several times.
  test.each(['by tokens', 'by characters'] as const)('has its parts %s split again until all is read', async (how) => {
    await startCutting(bytes, WINDOW);
    const { English = '', Chinese = '', typescript = '', emoji = '' } = corpus();
    const short = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`short ${at}`, `a short text ${at}`]));
    const all = await prepare(
      { ...short, English, Chinese, typescript, emoji },
      { splitter: SPLITTERS[how], model: { windowTokens: WINDOW } },
    );
    expect(all.failed).toEqual([]);
    expect(unreadOf(all, bytes, WINDOW)).toEqual({});
    expect(all.truncated).toBeGreaterThan(10);
  });

  test('fails an object by name if its text cannot be shorter', async () => {
    await startCutting((text) => (text.includes('word') ? 300 : 5), 64);
    const all = await prepare({ one: 'word '.repeat(100), two: 'a lion' }, { model: { windowTokens: 64 } });
    expect(all.failed).toEqual([
      expect.objectContaining({
        ...{ objectId: 'one', stage: 'embed', reason: 'ModelRejectedInput' },
        detail: expect.stringMatching(/"of-tests" at 127\.0\.0\.1:\d+ has not read all tokens of input\[0\]/),
      }),
    ]);
    expect(all.ready.map(({ id }) => id)).toEqual(['two']);
  });
});

test('long texts that a model with an unknown window cuts are split again, and short ones stay', async () => {
  const { countWhole } = await loadTokenizer({ name: 'bert', dir: tokenizerDir });
  await startCutting(countWhole, 256);
  const { English = '', German = '' } = mixedCorpus();
  const all = await prepare({ English, German, short: 'a lion' }, { splitter: { chunkSize: 4_000, chunkOverlap: 0 } });
  expect(all.failed).toEqual([]);
  expect(all.truncated).toBeGreaterThan(0);
  // A part is found if it has more words than the window has tokens.
  for (const { payload, parts } of all.ready) {
    for (const { start, end } of parts) {
      const words = String(payload)
        .slice(start ?? 0, end ?? 0)
        .split(/\s+/);
      expect(words.length).toBeLessThanOrEqual(256);
    }
  }
  expect(all.ready.find(({ id }) => id === 'short')?.parts).toHaveLength(1);
});

test('a search text over the window is refused', async () => {
  await startCutting(bytes, 128);
  const model = { ...{ provider: 'openai', name: 'of-tests', dimensions: 8 }, windowTokens: 128 };
  const config = indexConfigSchema.parse({ model: { ...model, baseUrl: (server as EmbeddingServer).url } });
  const embedder = createModels({ env: {} }).embedder(config.model);
  const search = (text: string) => embedder.embed([text], { purpose: 'query' });
  await expect(search('lion '.repeat(40))).rejects.toMatchObject({ type: 'ModelRejectedInput', reason: 'truncated' });
  expect(await search('a lion')).toHaveLength(1);
});
