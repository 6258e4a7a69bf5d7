import { expect } from 'vitest';
import type { Embedder } from '../../src/contract/embedder.ts';
import { type EmbedOptions, EmbedSession, type ObjectTexts } from '../../src/pipeline/embed.ts';
import { textVector } from './support.ts';

export const options = { purpose: 'document', metric: 'cosine', pause: async () => {} } as const;

/** All results at once, or the error that stopped the work. */
export async function embedParts(objects: readonly ObjectTexts[], embedder: Embedder, how: EmbedOptions) {
  const session = new EmbedSession(objects, embedder, how);
  const stoppedBy = await session.run();
  if (stoppedBy !== null) throw stoppedBy;
  expect(session.left).toHaveLength(objects.length);
  const finished = session.take();
  expect(session.left).toEqual([]);
  return finished;
}

export const objectOf = (id: string, ...texts: string[]) => ({ id, parts: texts.map((text) => ({ text })) });

/** Answers as a real model to what `behave` accepts. */
export function behaving(behave: (texts: readonly string[], call: number) => void, limits: Partial<Embedder> = {}) {
  const calls: string[][] = [];
  const embedder: Embedder = {
    dimensions: 3,
    maxTexts: 100,
    maxChars: 100_000,
    ...limits,
    embed: async (texts) => {
      calls.push([...texts]);
      behave(texts, calls.length);
      return texts.map(textVector);
    },
  };
  return { embedder, calls };
}
