/** Names that other programs see: Temporal task queues, workflow types, signals, queries and search attributes. */

/** The queue of the activities that load, split, embed, write and copy, so that embedding scales alone. */
export function embedQueueOf(controlQueue: string): string {
  return `${controlQueue}-embed`;
}

export const WORKFLOW = {
  upsert: 'upsert',
  delete: 'delete',
  reindex: 'reindex',
  reindexSlice: 'reindexSlice',
  deleteIndex: 'deleteIndex',
  maintain: 'maintain',
} as const;

export const SIGNAL = {
  cancel: 'cancel',
  restart: 'restart',
  pause: 'pause',
  resume: 'resume',
  ignore: 'ignore',
  throttle: 'throttle',
} as const;

export const QUERY = { tracker: 'tracker' } as const;

/** Search attributes by which `temporal workflow list --query` finds tasks; the values are Temporal's type names. */
export const SEARCH_ATTRIBUTES = {
  TaskType: 'KEYWORD',
  TaskStatus: 'KEYWORD',
  TaskParent: 'KEYWORD',
  /** Of a run that replaces an ended one of the same task: that one's run id, so that lists can leave it out. */
  TaskReplaces: 'KEYWORD',
  TaskIndex: 'KEYWORD_LIST',
} as const;

/** Lower is sooner (Temporal's default is 3): what people start, live writes above all, goes before reindex copying. */
export const PRIORITY = { live: 2, copy: 4 } as const;
