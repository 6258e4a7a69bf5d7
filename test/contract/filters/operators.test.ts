import { expect, test } from 'vitest';
import { resembled } from '../../../src/contract/filters/operators.ts';
import { closest } from '../../../src/contract/spelling.ts';
import { seededRandom } from '../../../src/evaluation/random.ts';

const LONG = ['exists', 'contains', 'startsWith'];
const LETTERS = 'abcdefghijklmnopqrstuvwxyz1';
const SEED = 1 + Math.floor(Math.random() * 1e6);

/** A name with up to three letters added, removed or replaced, or with its letters in another order. */
function changed(name: string, random: () => number): string {
  const below = (limit: number) => Math.floor(random() * limit);
  const letters = [...name];
  for (let left = below(4); left > 0; left--) {
    const at = below(letters.length);
    const letter = LETTERS[below(LETTERS.length)] as string;
    const kind = below(4);
    if (kind === 0) letters.splice(at, 0, letter);
    else if (kind === 1) letters.splice(at, 1);
    else if (kind === 2) letters[at] = letter;
    else letters.push(...letters.splice(at, 1));
  }
  return letters.join('');
}

const inOrder = (text: string) => [...text].sort().join('');

test(`a name is a typo of a long operator if one letter differs, or only their order does (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  let typos = 0;
  for (let at = 0; at < 3_000; at++) {
    const operator = LONG[at % LONG.length] as string;
    const name = changed(operator.toLowerCase(), random);
    // Doubled letters are another rule.
    if (name === operator || /(.)\1/.test(name)) continue;
    const isTypo = LONG.some(
      (one) => closest(name, [one.toLowerCase()], 1) !== undefined || inOrder(name) === inOrder(one.toLowerCase()),
    );
    expect([name, resembled(name)]).toEqual([name, isTypo ? expect.any(String) : undefined]);
    if (isTypo) typos++;
  }
  expect(typos).toBeGreaterThan(100);
});

test('the names of a wide filter resemble no operator', () => {
  const names = Array.from({ length: 9_000 }, (_, at) => `key-${at}`);
  expect(names.map(resembled).filter((operator) => operator !== undefined)).toEqual([]);
});
