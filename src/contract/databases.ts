import { z } from 'zod';

/** The database of `DATABASE_URL`. It also knows which of the others holds a name. */
export const MAIN_DATABASE = 'main';

const FORM = /^[a-z][a-z0-9_]{0,31}$/;

/** Names of databases. Names of task queues contain them, and their suffixes begin with a dash. */
export const databaseNameSchema = z
  .string()
  .regex(FORM, 'lower-case letters, digits and underscore, starting with a letter, at most 32')
  .meta({ examples: [MAIN_DATABASE] });

/** Of a list over all databases. */
export const unavailableSchema = z
  .array(z.string())
  .optional()
  .describe('Databases that do not answer: what they hold is missing in the list.');

/** Returns the task queue of what concerns the indexes of a database, given that of the main database. */
export function queueOfDatabase(taskQueue: string, database: string): string {
  return database === MAIN_DATABASE ? taskQueue : `${taskQueue}-at-${database}`;
}

/** What has a name that is unique over all databases; an index and an alias cannot have the same. */
export const NAME_KINDS = ['index', 'source', 'query-set'] as const;
export type NameKind = (typeof NAME_KINDS)[number];

/** Names of the kinds, for people. */
export const NAME_WORDS: Readonly<Record<NameKind, string>> = {
  index: 'index or alias',
  source: 'source',
  'query-set': 'query set',
};
