import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import { fetchPackage, type PinnedPackage } from '../support/npm-package.ts';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** Its script alone: as a dependency it would bring 50 MB of programs for Java and for the platform. */
const RECHECK: PinnedPackage = {
  name: 'recheck',
  version: '4.5.0',
  integrity: 'sha512-kPnbOV6Zfx9a25AZ++28fI1q78L/UVRQmmuazwVRPfiiqpMs+WbOU69Shx820XgfKWfak0JH75PUvZMFtRGSsw==',
};

type Check = (source: string, flags: string, options: { timeout: number }) => { status: string };
let checkSync: Check;
beforeAll(async () => {
  const folder = await fetchPackage(RECHECK);
  ({ checkSync } = createRequire(import.meta.url)(path.join(folder, 'lib/browser.js')) as { checkSync: Check });
});

interface Expression {
  file: string;
  line: number;
  source: string;
  flags: string;
}

/** Every regular expression literal. */
function expressionsOf(file: string): Expression[] {
  const text = readFileSync(`${SRC}/${file}`, 'utf8');
  const found: Expression[] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    const { type, regex, start } = node as { type?: string; regex?: { pattern: string; flags: string }; start: number };
    if (type === 'Literal' && regex) {
      const line = text.slice(0, start).split('\n').length;
      found.push({ file, line, source: regex.pattern, flags: regex.flags });
    }
    Object.values(node).forEach(visit);
  };
  const { program, errors } = parseSync(file, text);
  expect(errors, file).toEqual([]);
  visit(program);
  return found;
}

/** Whether the time of a match grows faster than its input, by recheck's search for an attack. */
function isSlow({ source, flags }: Pick<Expression, 'source' | 'flags'>): boolean {
  return checkSync(source, flags, { timeout: 90_000 }).status === 'vulnerable';
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
const expressions = files.flatMap(expressionsOf);

describe('the regular expressions of the sources', () => {
  it('are all found, including those with slashes and classes', () => {
    expect(expressions.length).toBeGreaterThan(100);
    expect(isSlow({ source: '^(a+)+$', flags: '' })).toBe(true);
    expect(isSlow({ source: '^a+$', flags: '' })).toBe(false);
  });

  it('match in linear time', () => {
    const slow = expressions.filter(isSlow);
    expect(slow.map(({ file, line, source }) => `${file}:${line} /${source}/`)).toEqual([]);
  });
});
