import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './blocks.ts';

const page = readFileSync(path.join(ROOT, 'docs/protocol.md'), 'utf8');

/** A sentence of the page with the test that holds it. */
const ROW = /^\| (?<what>[^|]+) \| `(?<file>test\/[^`|]+\.test\.ts)` \| (?<title>[^|]+) \|$/gm;
const promises = [...page.matchAll(ROW)].map(({ groups }) => groups as { what: string; file: string; title: string });

describe('the page about the protocol', () => {
  it('names a test for each of many promises', () => {
    expect(promises.length).toBeGreaterThan(40);
    expect(new Set(promises.map(({ what }) => what)).size).toBe(promises.length);
  });

  it.each(promises)('has a test for: $what', ({ file, title }) => {
    const source = readFileSync(path.join(ROOT, file), 'utf8');
    expect([`'${title}'`, `\`${title}\``].some((quoted) => source.includes(quoted))).toBe(true);
  });

  it.each(['I1', 'I2', 'I3', 'I4', 'I5', 'I6'])(
    'explains the invariant %s once and names a test for it',
    (invariant) => {
      expect(page.split(`| ${invariant} | `)).toHaveLength(2);
      expect(promises.some(({ what }) => new RegExp(`\\b${invariant}\\b`).test(what))).toBe(true);
    },
  );
});
