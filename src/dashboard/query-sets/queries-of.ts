import type { QueryInput } from '../../contract/query-sets.ts';
import { type ReadLines, readLines } from '../ui/lines.ts';

/** Reads queries from a text, one per line: JSON, or a text, whose id is its line number. */
export function queriesOf(text: string): ReadLines<QueryInput> {
  return readLines(text, {
    ofText: (query, number) => ({ id: `line-${number}`, text: query }),
    ofJson: (value, number) => ({ id: `line-${number}`, ...value }) as QueryInput,
  });
}
