import { describe, expect, test } from 'vitest';
import { type ErrorType, ReembedError } from '../../src/contract/errors.ts';
import { EmbedSession } from '../../src/pipeline/embed.ts';
import { behaving, embedParts, objectOf, options } from './embedding.ts';
import { textVector } from './support.ts';

describe('a model with a window of 512 characters', () => {
  const words = (count: number) => Array.from({ length: count }, (_, at) => `word ${at}`).join(' ');
  const windowed = (status: ErrorType = 'ModelRejectedInput') =>
    behaving(
      (texts) => {
        if (texts.some((text) => text.length > 512)) throw new ReembedError(status, 'maximum context length is 512');
      },
      { maxTexts: 8 },
    );

  test('gets a longer text in pieces that cover it, and the objects beside it are whole', async () => {
    const { embedder } = windowed();
    const long = words(400);
    const [a, b] = await embedParts([objectOf('a', 'short', long, 'end'), objectOf('b', 'other')], embedder, options);
    expect(b).toEqual({ id: 'b', vectors: [textVector('other')] });
    if (!a || 'failed' in a) throw new Error('a failed');
    const pieces = a.split?.get(1) ?? [];
    expect(pieces.join(' ')).toBe(long);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(512);
    expect(a.vectors).toEqual(['short', ...pieces, 'end'].map(textVector));
  });

  test('gets the pieces of a text that several objects share once, also where one of them is dropped', async () => {
    const { embedder, calls } = windowed();
    const long = words(200);
    const session = new EmbedSession(
      [objectOf('a', long), objectOf('b', long), objectOf('c', long)],
      embedder,
      options,
    );
    session.drop('c');
    expect(await session.run()).toBeNull();
    expect(session.take()).toHaveLength(2);
    const sent = calls.flat().filter(({ length }) => length <= 512);
    expect(sent).toHaveLength(new Set(sent).size);
  });

  test('fails only the text that it refuses at any length', async () => {
    const { embedder } = behaving((texts) => {
      const error = new ReembedError('ModelRejectedInput', 'too many tokens');
      if (texts.some((text) => text.includes('word 7 '))) throw error;
    });
    const embedded = await embedParts([objectOf('a', words(100)), objectOf('b', 'fine')], embedder, options);
    expect(embedded).toMatchObject([
      { id: 'a', failed: { reason: 'ModelRejectedInput' } },
      { id: 'b', vectors: [textVector('fine')] },
    ]);
  });
});
