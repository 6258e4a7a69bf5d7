import { closest } from '../spelling.ts';

export const RANGES = ['gt', 'gte', 'lt', 'lte'] as const;
export type Range = (typeof RANGES)[number];
/** Operators that compare the value of a field. */
export const COMPARISONS = ['eq', 'ne', 'in', 'nin', ...RANGES, 'exists', 'contains', 'startsWith'] as const;
export type Comparison = (typeof COMPARISONS)[number];
/** Operators that combine filters. */
export const COMBINATIONS = ['and', 'or', 'not'] as const;
export type Combination = (typeof COMBINATIONS)[number];
const ALL: readonly string[] = [...COMPARISONS, ...COMBINATIONS];

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

/** Long operators, whose typos are told from other words. */
const LONG = ['exists', 'contains', 'startsWith'];

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
  const plain = letters.replace(/(.)\1+/g, '$1');
  const same = ALL.find((operator) => operator.toLowerCase() === letters || operator.toLowerCase() === plain);
  if (same) return same;
  if (Object.hasOwn(ALIASES, letters)) return ALIASES[letters];
  return LONG.find((operator) => isTypo(operator.toLowerCase(), letters));
}

/** One letter is wrong, missing or added, or letters are swapped. */
function isTypo(operator: string, letters: string): boolean {
  // First what most words fail at: a filter may have a hundred thousand.
  if (Math.abs(letters.length - operator.length) > 1) return false;
  const sorted = (text: string) => [...text].sort().join('');
  return closest(letters, [operator], 1) !== undefined || sorted(letters) === sorted(operator);
}
