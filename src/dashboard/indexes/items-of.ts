import type { ItemInput } from '../../client/client.ts';

export interface ReadItems {
  items: ItemInput[];
  /** The problem of the first invalid line. */
  problem: string | null;
}

/**
 * Reads objects from a text, one per line: JSON as in an NDJSON body, or a text, whose id is its line number. A line
 * that starts like JSON but is invalid is a problem, never a text.
 */
export function itemsOf(text: string): ReadItems {
  const items: ItemInput[] = [];
  let problem: string | null = null;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    // A file may start with a byte order mark.
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
    return 'is not valid JSON (write a text that starts with { or [ as the payload of a JSON object)';
  }
  return Array.isArray(value) ? 'is a list: write one object per line' : (value as ItemInput);
}
