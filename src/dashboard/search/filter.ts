import type { FieldIssue } from '../../contract/errors.ts';
import type { Comparison } from '../../contract/filters/operators.ts';
import { type Filter, filterSchema } from '../../contract/filters.ts';
import { fieldIssues } from '../../contract/issues.ts';
import type { Json } from '../../contract/json.ts';
import { parseJsonText } from '../../contract/json-text/parse.ts';

interface ParsedFilter {
  filter?: Filter;
  /** What is wrong, by field. */
  issues: FieldIssue[];
}

/** Parses a filter, or returns its problems, in the words of the API. An empty text is no filter. */
export function filterOf(text: string): ParsedFilter {
  if (text.trim() === '') return { issues: [] };
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch {
    return { issues: [{ path: '', message: 'must be JSON, for instance {"lang": "en"} or {"year": {"gte": 2020}}' }] };
  }
  const parsed = filterSchema.safeParse(value);
  return parsed.success ? { filter: parsed.data, issues: [] } : { issues: fieldIssues(parsed.error) };
}

/** Operators as the form names them. */
export const OPERATORS: Record<Comparison, string> = {
  eq: 'is',
  ne: 'is not',
  in: 'is one of',
  nin: 'is none of',
  gt: 'is above',
  gte: 'is at least',
  lt: 'is below',
  lte: 'is at most',
  exists: 'exists',
  contains: 'contains',
  startsWith: 'starts with',
};

/** Returns a filter with one more condition, as text: `{"year": {"gte": 2020}}`. The filter must be valid. */
export function withCondition(text: string, field: string, operator: Comparison, value: string): string {
  const filter = filterOf(text).filter ?? {};
  const before = filter[field];
  const condition = { [operator]: operandOf(operator, value) };
  // A condition on the same field holds too; what stands there may be a plain value.
  const isOperators = typeof before === 'object' && before !== null && !Array.isArray(before);
  const next =
    before === undefined
      ? { ...filter, [field]: condition }
      : isOperators && !(operator in before)
        ? { ...filter, [field]: { ...before, ...condition } }
        : { and: [filter, { [field]: condition }] };
  return JSON.stringify(next);
}

/** Returns a value as JSON if it is some, otherwise as text; a list where the operator takes one. */
function operandOf(operator: Comparison, value: string): Json {
  if (operator === 'exists') return value.trim() !== 'false';
  if (operator === 'in' || operator === 'nin') return value.split(',').map((each) => jsonOr(each.trim()));
  return operator === 'startsWith' ? value : jsonOr(value);
}

function jsonOr(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
