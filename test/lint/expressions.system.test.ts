import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { parseSync } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';
import { fetchPackage, type PinnedPackage } from '../support/npm-package.ts';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/reembed-test', import.meta.url));

/** Its script alone: as a dependency it would bring 50 MB of programs for Java and for the platform. */
const RECHECK: PinnedPackage = {
  name: 'recheck',
  version: '4.5.0',
  integrity: 'sha512-kPnbOV6Zfx9a25AZ++28fI1q78L/UVRQmmuazwVRPfiiqpMs+WbOU69Shx820XgfKWfak0JH75PUvZMFtRGSsw==',
};

/** A text of these pieces, each pump repeated `base` and `bias` times. */
interface Attack {
  base: number;
  pumps: { prefix: string; pump: string; bias: number }[];
  suffix: string;
}

type Check = (source: string, flags: string, options: { timeout: number }) => { status: string; attack?: Attack };
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
  const { status, attack } = checkSync(source, flags, { timeout: 90_000 });
  return status === 'vulnerable' && (attack === undefined || isHitBy(attack, source, flags));
}

/** Much more than recheck's attacks have: minutes where the time grows with the square, milliseconds otherwise. */
const TIMES = 32;
const LIMIT_MS = 10_000;

/** Whether an attack works. For an expression with lookaheads, recheck guesses, and at times it finds one that does not. */
function isHitBy({ base, pumps, suffix }: Attack, source: string, flags: string): boolean {
  const pieces = pumps.map(({ prefix, pump, bias }) => prefix + pump.repeat(base * TIMES + bias));
  const text = pieces.join('') + suffix;
  try {
    runInNewContext('new RegExp(source, flags).test(text)', { source, flags, text }, { timeout: LIMIT_MS });
    return false;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return true;
  }
}

/** The expressions that a run has found to be linear; the search takes up to seconds for each. */
function expressionsChecked() {
  const file = path.join(CACHE, `expressions-${RECHECK.version}.json`);
  const known = new Set<string>(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : []);
  const keyOf = ({ source, flags }: Expression) => `/${source}/${flags}`;
  return {
    has: (one: Expression) => known.has(keyOf(one)),
    add: (one: Expression) => void known.add(keyOf(one)),
    keep() {
      mkdirSync(CACHE, { recursive: true });
      writeFileSync(`${file}.${process.pid}`, JSON.stringify([...known]));
      renameSync(`${file}.${process.pid}`, file);
    },
  };
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
const expressions = files.flatMap(expressionsOf);

describe('the regular expressions of the sources', () => {
  it('are all found, including those with slashes and classes', () => {
    expect(expressions.length).toBeGreaterThan(100);
    expect(isSlow({ source: '^(a+)+$', flags: '' })).toBe(true);
    expect(isSlow({ source: '^a+$', flags: '' })).toBe(false);
    expect(isSlow({ source: '(?=b)?a*a*$', flags: '' })).toBe(true);
    expect(isSlow({ source: '(?<!/)/+$', flags: '' })).toBe(false);
  });

  it('match in linear time', () => {
    const checked = expressionsChecked();
    const slow = expressions.filter((one) => {
      if (checked.has(one)) return false;
      if (isSlow(one)) return true;
      checked.add(one);
      return false;
    });
    checked.keep();
    expect(slow.map(({ file, line, source }) => `${file}:${line} /${source}/`)).toEqual([]);
  });
});
