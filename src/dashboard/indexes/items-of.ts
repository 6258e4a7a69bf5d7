import type { ItemInput } from '../../client/http/client.ts';

/** The objects of a text, one to a line: JSON as in an NDJSON body, or a text, whose id is the number of its line. */
export function itemsOf(text: string): ItemInput[] {
  return text.split(/\r?\n/).flatMap((line, at) => {
    const trimmed = line.trim();
    if (trimmed === '') return [];
    return [objectIn(trimmed) ?? { id: `line-${at + 1}`, payload: trimmed }];
  });
}

function objectIn(line: string): ItemInput | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as ItemInput;
  } catch {
    return undefined;
  }
}
