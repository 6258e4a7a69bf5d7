import type { Payload } from '../contract/objects.ts';

/**
 * Returns the text of a payload that is embedded: a text unchanged; for JSON, its strings joined by line breaks.
 *
 * Without `fields` these are all string values, ordered by their sorted keys: jsonb does not keep the order of keys,
 * and an object must give the same text when a reindex reads it from the database. With `fields` they are the strings
 * at and below the dotted paths, in the order of the paths. A path goes through arrays: `comments.text` is the text of
 * each comment, `comments.0.text` that of the first; a key may itself contain dots. Numbers, booleans and keys are
 * ignored, as are paths that do not exist.
 *
 * @example
 * textOf({ title: 'A', tags: ['x', 'y'], year: 2024 }, undefined); // 'x\ny\nA'
 * textOf({ title: 'A', tags: ['x', 'y'], year: 2024 }, ['title', 'tags']); // 'A\nx\ny'
 */
export function textOf(payload: Payload, fields: readonly string[] | undefined): string {
  if (typeof payload === 'string') return payload;
  const texts: string[] = [];
  if (fields === undefined) collect(payload, texts);
  else for (const field of fields) collectAt(payload, field, texts);
  return texts.join('\n');
}

function collect(value: unknown, texts: string[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) for (const element of value) collect(element, texts);
  else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value).sort()) collect((value as Record<string, unknown>)[key], texts);
  }
}

function collectAt(value: unknown, path: string, texts: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  // Own keys only: `constructor` and `length` are not the user's fields.
  if (Object.hasOwn(value, path) && !(Array.isArray(value) && path === 'length')) {
    collect((value as Record<string, unknown>)[path], texts);
    return;
  }
  const dot = path.indexOf('.');
  const head = dot < 0 ? path : path.slice(0, dot);
  if (Array.isArray(value) && !/^\d+$/.test(head)) {
    for (const element of value) collectAt(element, path, texts);
  } else if (dot >= 0 && Object.hasOwn(value, head)) {
    collectAt((value as Record<string, unknown>)[head], path.slice(dot + 1), texts);
  }
}
