export const RANGES = ['gt', 'gte', 'lt', 'lte'] as const;
export type Range = (typeof RANGES)[number];
/** Operators that compare the value of a field. */
export const COMPARISONS = ['eq', 'ne', 'in', 'nin', ...RANGES, 'exists', 'contains', 'startsWith'] as const;
export type Comparison = (typeof COMPARISONS)[number];
/** Operators that combine filters. */
export const COMBINATIONS = ['and', 'or', 'not'] as const;
export type Combination = (typeof COMBINATIONS)[number];
const BY_LETTERS = new Map(
  [...COMPARISONS, ...COMBINATIONS].map((name): [string, string] => [name.toLowerCase(), name]),
);

/** Names and signs of other query languages. */
const ALIASES: Record<string, string> = {
  '=': 'eq',
  '==': 'eq',
  equals: 'eq',
  '!=': 'ne',
  '<>': 'ne',
  neq: 'ne',
  '>': 'gt',
  '>=': 'gte',
  ge: 'gte',
  geq: 'gte',
  '<': 'lt',
  '<=': 'lte',
  le: 'lte',
  leq: 'lte',
  greaterthan: 'gt',
  lessthan: 'lt',
  notin: 'nin',
  anyof: 'in',
  oneof: 'in',
  ilike: 'contains',
};

/** Long operators, whose typos differ enough from other words. */
const LONG = ['exists', 'contains', 'startsWith'].map((name) => ({ name, letters: name.toLowerCase() }));

export function isComparison(name: string): name is Comparison {
  return (COMPARISONS as readonly string[]).includes(name);
}

export function isCombination(name: string): name is Combination {
  return (COMBINATIONS as readonly string[]).includes(name);
}

/**
 * Returns the operator that a name resembles without being it: in another case, with signs added, with letters doubled,
 * from another query language, or with a typo. Short names are not compared by distance: `id` is no `in`.
 */
export function resembled(name: string): string | undefined {
  if (isComparison(name) || isCombination(name) || name.startsWith('\\')) return undefined;
  const lower = name.toLowerCase();
  if (Object.hasOwn(ALIASES, lower)) return ALIASES[lower];
  const letters = lower.replace(/[^\p{L}\p{N}]/gu, '');
  const same = BY_LETTERS.get(letters) ?? BY_LETTERS.get(letters.replace(/(.)\1+/g, '$1'));
  if (same) return same;
  if (Object.hasOwn(ALIASES, letters)) return ALIASES[letters];
  return LONG.find((operator) => isTypo(operator.letters, letters))?.name;
}

/**
 * One letter is wrong, missing or added, or letters are swapped. A filter may have a hundred thousand names, so nothing is
 * made for one that is far from the operator.
 */
function isTypo(operator: string, letters: string): boolean {
  const longer = letters.length - operator.length;
  if (Math.abs(longer) > 1) return false;
  let at = 0;
  while (at < operator.length && operator[at] === letters[at]) at++;
  // Behind the first letter that differs the rest is equal, if that one is wrong, added or missing.
  const [rest, expected] = [letters.slice(longer < 0 ? at : at + 1), operator.slice(longer > 0 ? at : at + 1)];
  if (rest === expected) return true;
  return longer === 0 && sumOf(letters) === sumOf(operator) && sorted(letters) === sorted(operator);
}

/** Equal for all orders of the same letters. */
function sumOf(text: string): number {
  let sum = 0;
  for (let at = 0; at < text.length; at++) sum += text.charCodeAt(at);
  return sum;
}

function sorted(text: string): string {
  return [...text].sort().join('');
}
