import type { Context } from 'hono';
import { evaluationOf } from '../../contract/approval.ts';
import type { StartableType } from '../../contract/task-types.ts';
import type { TaskInputs } from '../../contract/workflow-inputs.ts';
import type { AcceptDependencies } from '../tasks/options.ts';
import { namedBy, type Passing } from './pass-on.ts';
import type { Named, Place } from './places.ts';

type Bodies = { [Type in StartableType]: Partial<TaskInputs[Type]> };

/** What the body of each type names. Other types concern no index: they belong to the main database. */
const NAMED_BY: { [Type in StartableType]?: (body: Bodies[Type]) => Named[] } = {
  upsert: ({ index }) => namedBy('index', { index }),
  delete: ({ index }) => namedBy('index', { index }),
  'delete-index': ({ index }) => namedBy('index', { index }),
  'vector-index': ({ index }) => namedBy('index', { index }),
  audit: ({ index, source }) => [...namedBy('source', { source }), ...namedBy('index', { index })],
  sync: ({ source }) => namedBy('source', { source }),
  evaluate: ({ left, right, querySet }) => [
    ...namedBy('index', { left, right }),
    ...namedBy('query-set', { querySet }),
  ],
  reindex: ({ source, dest, alias, approve }) => [
    ...namedBy('index', { source, dest, alias }),
    ...namedBy('query-set', { 'approve.querySet': approve && evaluationOf(approve)?.querySet }),
  ],
};

/**
 * Returns what accepts a task in the database of what it names. Errors: `InvalidInput` for a name in another database
 * than the first one, `DatabaseUnavailable`.
 */
export async function inPlace<D extends AcceptDependencies, T extends StartableType>(
  c: Context,
  deps: D,
  type: T,
  body: Bodies[T],
): Promise<D> {
  const place = await placeOfTask(c, type, body);
  return place ? { ...deps, db: place.db, taskQueue: place.taskQueue } : deps;
}

/** Returns the database of what a task names; undefined if there is one database only, or the task names nothing. */
export async function placeOfTask<T extends StartableType>(
  c: Context,
  type: T,
  body: Bodies[T],
): Promise<Place | undefined> {
  const passing: Passing | undefined = c.get('passing');
  const namedIn = NAMED_BY[type];
  if (!passing?.places.isSeveral || !namedIn) return undefined;
  return passing.places.agree(namedIn(body));
}
