import type { Tracker, TrackerError } from './tasks.ts';

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
    errors,
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
    ...(LISTED_DATA.some((name) => data[name] !== undefined) && { data: listedData(data) }),
    ...(errors[0] && { errors: [shortened(errors[0])] }),
  };
}

const LISTED_DATA = ['usage', 'watch', 'waitsFor', 'source', 'dest', 'phase'] as const;
/** Max. characters of the last error's message. */
const MESSAGE_CHARS = 200;

function listedData(data: Tracker['data']): Tracker['data'] {
  const known = LISTED_DATA.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]]));
  return Object.fromEntries(known);
}

function shortened({ attempt, time, type, message }: TrackerError): TrackerError {
  return { attempt, time, type, message: message.slice(0, MESSAGE_CHARS) };
}
