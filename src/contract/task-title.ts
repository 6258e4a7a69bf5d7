import type { Tracker } from './tasks.ts';

/** What a title is made of: a tracker, or a task in a list. */
export type Titled = Pick<Tracker, 'type'> & Partial<Pick<Tracker, 'data' | 'indexes' | 'job' | 'progress'>>;

/** Characters of an id that a shortened one keeps: enough to tell the ids of one page apart. */
const ID_CHARS = 8;
const MAX_ID_CHARS = 24;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-/;

/** Names a task for people, such as `send-mail`, `upsert 3 → docs` or `docs-v1 → docs-v2`. */
export function titleOf(task: Titled): string {
  const { type, data = {}, progress } = task;
  const [first, second] = namesOf(task);
  switch (type) {
    case 'job':
      return task.job ?? textOf(data.name) ?? type;
    case 'upsert':
      return `${type}${countOf(progress)}${first === undefined ? '' : ` → ${first}`}`;
    case 'delete':
      return `${type}${countOf(progress)}${first === undefined ? '' : ` from ${first}`}`;
    case 'reindex':
      return second === undefined ? type : `${first} → ${second}`;
    case 'evaluate':
      return second === undefined ? type : `evaluate ${second} against ${first}`;
    case 'delete-index':
      return first === undefined ? type : `delete the index ${first}`;
    case 'steer':
      return `${textOf(data.action) ?? type} tasks${data.dryRun === true ? ' (dry run)' : ''}`;
    default:
      return first === undefined ? type : `${type} ${first}`;
  }
}

/** Returns the indexes of a task: those that it was started with, or those that it says it works on. */
export function namesOf({ data = {}, indexes = [] }: Pick<Titled, 'data' | 'indexes'>): string[] {
  const { source, dest, left, right, index } = data;
  const named = source === undefined ? (left === undefined ? [index] : [left, right]) : [source, dest];
  const known = named.flatMap((name) => textOf(name) ?? []);
  return known.length >= indexes.length ? known : [...indexes];
}

/** Shortens an id of a task for a list; the whole id stays within reach beside it. */
export function shortId(id: string): string {
  if (UUID.test(id)) return id.slice(0, ID_CHARS);
  return id.length <= MAX_ID_CHARS ? id : `${id.slice(0, MAX_ID_CHARS - ID_CHARS - 1)}…${id.slice(-ID_CHARS)}`;
}

const countOf = (progress: Titled['progress']) => (progress && progress.total > 0 ? ` ${progress.total}` : '');

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
