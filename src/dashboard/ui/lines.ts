export interface ReadLines<T> {
  items: T[];
  /** The problem of the first invalid line. */
  problem: string | null;
}

interface LineReaders<T> {
  ofText: (text: string, number: number) => T;
  ofJson: (value: Readonly<Record<string, unknown>>, number: number) => T;
}

/**
 * Reads what was typed or pasted, one thing to a line: JSON, or a text. A line that starts like JSON but is invalid is a
 * problem, never a text.
 */
export function readLines<T>(text: string, { ofText, ofJson }: LineReaders<T>): ReadLines<T> {
  const items: T[] = [];
  let problem: string | null = null;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    // A file may start with a byte order mark.
    const trimmed = line.replace(/^\uFEFF/, '').trim();
    if (trimmed === '') continue;
    if (!/^[[{]/.test(trimmed)) {
      items.push(ofText(trimmed, at + 1));
      continue;
    }
    const read = objectIn(trimmed);
    if (typeof read === 'string') problem ??= `line ${at + 1} ${read}`;
    else items.push(ofJson(read, at + 1));
  }
  return { items, problem };
}

function objectIn(line: string): Record<string, unknown> | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'is not valid JSON (write a text that starts with { or [ as a text field of a JSON object)';
  }
  return Array.isArray(value) ? 'is a list: write one object per line' : (value as Record<string, unknown>);
}

/** Says which of the things has a problem, since all of them share one field: `query 2, relevant.0.id: Enter a value.` */
export function lineProblem(one: string, found: { path: string; message: string } | undefined): string | undefined {
  if (!found) return undefined;
  const [at = '', ...field] = found.path.split('.');
  return `${one} ${Number(at) + 1}${field.length > 0 ? `, ${field.join('.')}` : ''}: ${found.message}`;
}
