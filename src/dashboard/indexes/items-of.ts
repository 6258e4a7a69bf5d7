import type { ItemInput } from '../../client/http/client.ts';

export interface ReadItems {
  items: ItemInput[];
  /** What is wrong with the first line that cannot be read. */
  problem: string | null;
}

/**
 * The objects of a text, one to a line: JSON as in an NDJSON body, or a text, whose id is the number of its line. A line
 * that begins as JSON and is none is a problem, never a text.
 */
export function itemsOf(text: string): ReadItems {
  const items: ItemInput[] = [];
  let problem: string | null = null;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    // A file may begin with a byte order mark.
    const trimmed = line.replace(/^\uFEFF/, '').trim();
    if (trimmed === '') continue;
    if (!/^[[{]/.test(trimmed)) {
      items.push({ id: `line-${at + 1}`, payload: trimmed });
      continue;
    }
    const read = objectIn(trimmed);
    if (typeof read === 'string') problem ??= `line ${at + 1} ${read}`;
    else items.push(read);
  }
  return { items, problem };
}

function objectIn(line: string): ItemInput | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'is not valid JSON (a text that begins with { or [ goes into the payload of an object)';
  }
  return Array.isArray(value) ? 'is a list: write one object to a line' : (value as ItemInput);
}
