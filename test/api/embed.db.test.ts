import { expect, it } from 'vitest';
import type { EmbedOptions } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import { setAlias } from '../../src/store/aliases.ts';
import { uniqueName } from '../store/builders.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, models, putObjects, testApi } from './support.ts';

onBothDatabases((database) => {
  /** An API whose model records its calls, refuses one text and hangs at another. */
  async function given(model: object = { provider: 'hash', dimensions: 16 }) {
    const { db } = database();
    const index = uniqueName('docs');
    const row = await makeIndex(db, index, { model } as Parameters<typeof makeIndex>[2]);
    const calls: { texts: readonly string[]; purpose: string }[] = [];
    const embedders = new Map<object, ReturnType<typeof models.embedder>>();
    const watched: typeof models = {
      embedder(config) {
        const usual = models.embedder(config);
        const known = embedders.get(usual) ?? {
          ...usual,
          async embed(texts: readonly string[], options: EmbedOptions) {
            calls.push({ texts: [...texts], purpose: options.purpose });
            if (texts.includes('a bad text')) throw new ReembedError('ModelRejectedInput', 'the text is refused');
            if (texts.includes('hangs')) return new Promise<never>(() => {});
            return usual.embed(texts, options);
          },
        };
        embedders.set(usual, known);
        return known;
      },
    };
    const app = testApi(db, { models: watched });
    return { db, index, row, app, calls, embed: (body: object) => call(app, 'POST', '/v1/embed', { index, ...body }) };
  }

  it('embed answers with a vector for each text, by one call of the model', async () => {
    const { index, calls, embed } = await given();
    const { status, body } = await embed({ texts: ['a lion', 'a tree', 'a lion'] });
    expect([status, calls]).toEqual([200, [{ texts: ['a lion', 'a tree'], purpose: 'query' }]]);
    expect(body).toMatchObject({ index, model: { provider: 'hash', name: 'hash-v1', dimensions: 16 } });
    const [lion, tree, again] = body.vectors;
    expect([lion.length, tree.length]).toEqual([16, 16]);
    expect(again).toEqual(lion);
    expect(tree).not.toEqual(lion);
  });

  it('the purpose of embed reaches the model', async () => {
    const { calls, embed } = await given();
    await embed({ texts: ['a lion'], purpose: 'document' });
    expect(calls).toEqual([{ texts: ['a lion'], purpose: 'document' }]);
  });

  it('the vector of a text finds what a search for the text finds', async () => {
    const { db, index, row, app, embed } = await given();
    const alias = uniqueName('alias');
    await setAlias(db, alias, index);
    await putObjects(db, row, [
      { id: 'cat', payload: 'a cat sleeps on the sofa' },
      { id: 'dog', payload: 'a dog runs in the park' },
    ]);
    const { body } = await embed({ index: alias, texts: ['a cat sleeps'] });
    const search = (request: object) => call(app, 'POST', `/v1/indexes/${alias}/search`, request);
    const byVector = await search({ vector: body.vectors[0] });
    expect(byVector.body.hits).toHaveLength(2);
    expect(byVector.body).toEqual((await search({ text: 'a cat sleeps' })).body);
  });

  it('a text without known words has no vector, and the others have theirs', async () => {
    const { embed } = await given({ provider: 'words' });
    const { body } = await embed({ texts: ['qqqqzzzz', 'lion'] });
    expect([body.vectors[0], body.vectors[1].length]).toEqual([null, 100]);
  });

  it('a text that the model refuses is named, and nothing is returned', async () => {
    const { embed } = await given();
    const { status, body } = await embed({ texts: ['a lion', 'a bad text', 'a tree'] });
    expect([status, body.type]).toEqual([422, 'urn:reembed:error:ModelRejectedInput']);
    expect(body.detail).toContain('texts.1');
  });

  it('a model that hangs ends with SearchTimeout', async () => {
    const { embed } = await given();
    const { status, body } = await embed({ texts: ['hangs'], timeoutSeconds: 0.2 });
    expect([status, body.type]).toEqual([504, 'urn:reembed:error:SearchTimeout']);
  });

  it.each([
    ['texts', { texts: [] }],
    ['texts', { texts: Array.from({ length: 257 }, () => 'a') }],
    ['texts.0', { texts: [''] }],
    ['texts.0', { texts: [5] }],
    ['purpose', { texts: ['a'], purpose: 'both' }],
    ['index', { texts: ['a'], index: 'A B' }],
    ['text', { texts: ['a'], text: 'a' }],
  ])('bad input of embed is refused by its field %s', async (path, body) => {
    const { calls, embed } = await given();
    const answer = await embed(body);
    expect([answer.status, answer.body.issues?.map(({ path: at }: { path: string }) => at)]).toEqual([400, [path]]);
    expect(calls).toEqual([]);
  });

  it('more numbers than one answer may have are refused before the model is called', async () => {
    const { calls, embed } = await given({ provider: 'hash', dimensions: 4_000 });
    const answer = await embed({ texts: Array.from({ length: 126 }, (_, at) => `text ${at}`) });
    expect([answer.status, calls]).toEqual([400, []]);
    expect(answer.body.detail).toContain('texts: must be at most 125 for vectors of 4000 dimensions, not 126');
  });
});
