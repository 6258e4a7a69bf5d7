/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const MOST_LEVELS = 200;

/**
 * What keeps a JSON value from being stored, if anything: Postgres has no NUL in text, a lone surrogate is no UTF-8,
 * and endless nesting overflows whoever walks it. Walks without recursion for that reason.
 */
export function storageProblem(value: unknown): string | undefined {
  const left: { value: unknown; level: number }[] = [{ value, level: 1 }];
  for (let next = left.pop(); next; next = left.pop()) {
    if (next.level > MOST_LEVELS) return `must not be nested deeper than ${MOST_LEVELS} levels`;
    if (typeof next.value === 'string') {
      if (next.value.includes('\u0000')) return 'must not contain NUL characters';
      if (!next.value.isWellFormed()) return 'must be well-formed Unicode';
    } else if (typeof next.value === 'object' && next.value !== null) {
      const level = next.level + 1;
      for (const [key, inner] of Object.entries(next.value))
        left.push({ value: key, level: 1 }, { value: inner, level });
    }
  }
  return undefined;
}

/** A JSON value as text that is the same whatever the order of the keys. What is undefined is left out. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  const members = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member !== undefined) text += `${text && ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}
