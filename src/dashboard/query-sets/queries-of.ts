import type { QueryInput } from '../../contract/query-sets.ts';
import { type ReadLines, readLines } from '../ui/lines.ts';

/** Reads queries from a text, one per line: JSON, or a text, whose id is its line number. */
export function queriesOf(text: string): ReadLines<QueryInput> {
  return readLines(text, {
    ofText: (query, number) => ({ id: `line-${number}`, text: query }),
    ofJson: (value, number) => ({ id: `line-${number}`, ...value }) as QueryInput,
  });
}

const FIELDS = ['', '.id', '.text', '.relevant', '.metadata'];

/** Returns the first problem of a query, since all of them share one field. */
export function firstIssue(count: number, errorAt: (...paths: string[]) => string | undefined): string | undefined {
  for (let at = 0; at < count; at++) {
    for (const field of FIELDS) {
      const message = errorAt(`set.queries.${at}${field}`, `queries.${at}${field}`);
      if (message) return `query ${at + 1}${field && `, ${field.slice(1)}`}: ${message}`;
    }
  }
  return undefined;
}
