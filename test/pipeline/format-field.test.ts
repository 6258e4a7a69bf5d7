import { describe, expect, test } from 'vitest';
import { contentHasher } from '../../src/pipeline/content-hash.ts';
import type { Prepared } from '../../src/pipeline/prepared.ts';
import { prepared } from './prepared.ts';
import { indexConfig } from './support.ts';

describe('an index with a field for the format', () => {
  const sections = ['one', 'two', 'three'].map((name) => `# ${name}\n\n${`Words about ${name} here. `.repeat(8)}`);
  const payload = sections.join('\n\n');
  const by = (splitter: object) => indexConfig({ splitter: { chunkTokens: 90, overlapTokens: 0, ...splitter } });
  const placesOf = ({ ready }: Pick<Prepared, 'ready'>) =>
    ready.map(({ parts }) => parts.map(({ start, end }) => [start, end]));

  test('splits each object by the format that its metadata names', async () => {
    const config = by({ format: 'text', formatField: 'type' });
    const given: Record<string, string>[] = [{ type: 'md' }, { type: 'text' }, {}];
    const all = given.map((metadata, at) => ({ id: `o${at}`, payload, metadata }));
    const [markdown, text, unknown] = placesOf(await prepared(all, { config }));
    expect([markdown]).toEqual(
      placesOf(await prepared([{ id: 'a', payload }], { config: by({ format: 'markdown' }) })),
    );
    expect([text]).toEqual(placesOf(await prepared([{ id: 'a', payload }], { config: by({ format: 'text' }) })));
    expect(unknown).toEqual(text);
    expect(markdown).not.toEqual(text);
  });

  test('embeds an object again when its format changes, and not for other metadata', async () => {
    const config = by({ formatField: 'type' });
    const hashOf = contentHasher(config);
    const stored = new Map([['a', await hashOf(payload, { metadata: { type: 'md' } })]]);
    const known = async () => stored;
    const write = async (metadata: Record<string, string>) =>
      (await prepared([{ id: 'a', payload, metadata }], { config, known })).ready[0]?.unchanged;
    expect(await write({ type: 'html' })).toBe(false);
    expect(await write({ type: 'markdown', other: 'x' })).toBe(true);
  });
});
