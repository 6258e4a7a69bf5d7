import type { Tracker, TrackerError } from './tasks.ts';

/** The key of the memo of a canceled task with its whole tracker, which is in no result. */
export const LAST_TRACKER = 'lastTracker';

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
    pace,
    data,
    errors,
  } = tracker;
  const listed = listedData(data);
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
    ...(pace && { pace }),
    ...(Object.keys(listed).length > 0 && { data: listed }),
    ...(errors[0] && { errors: [shortened(errors[0])] }),
  };
}

const LISTED_DATA = ['usage', 'watch', 'waitsFor', 'source', 'dest', 'phase', 'action', 'dryRun'] as const;
/** Max. characters of the last error's message. */
const MESSAGE_CHARS = 200;

/** Of an approval, lists show only that it waits for a decision. */
function listedData(data: Tracker['data']): Tracker['data'] {
  const known = LISTED_DATA.flatMap((name) => (data[name] === undefined ? [] : [[name, data[name]]]));
  const approval = data.approval as { decision: unknown } | undefined;
  return { ...Object.fromEntries(known), ...(approval?.decision === null && { approval: { decision: null } }) };
}

function shortened({ attempt, time, type, message }: TrackerError): TrackerError {
  return { attempt, time, type, message: message.slice(0, MESSAGE_CHARS) };
}
