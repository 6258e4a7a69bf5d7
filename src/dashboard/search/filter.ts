import { type Filter, filterSchema } from '../../contract/filters.ts';
import { fieldIssues, issuesText } from '../../contract/issues.ts';
import { parseJsonText } from '../../contract/json-text/parse.ts';

/** Parses a filter, or returns the problem. An empty text is no filter. */
export function filterOf(text: string): { filter?: Filter; error?: string } {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch {
    return { error: 'must be JSON, for instance {"lang": "en"} or {"year": {"gte": 2020}}' };
  }
  const parsed = filterSchema.safeParse(value);
  return parsed.success ? { filter: parsed.data } : { error: issuesText(fieldIssues(parsed.error)) };
}
