import type { Tracker } from './tasks.ts';

/** Returns the fields of a task that lists show; stored in the workflow's memo, so that a list needs no query. */
export function listRow(tracker: Tracker): Partial<Tracker> {
  const {
    id,
    type,
    parentId,
    status,
    detail,
    createTime,
    updateTime,
    attempts,
    maxAttempts,
    progress,
    children,
    data,
  } = tracker;
  return {
    id,
    type,
    parentId,
    status,
    detail: detail.slice(0, 300),
    createTime,
    updateTime,
    attempts,
    maxAttempts,
    progress,
    children,
    ...((data.usage ?? data.watch) !== undefined && { data: listedData(data) }),
  };
}

function listedData({ usage, watch }: Tracker['data']): Tracker['data'] {
  return { ...(usage !== undefined && { usage }), ...(watch !== undefined && { watch }) };
}
