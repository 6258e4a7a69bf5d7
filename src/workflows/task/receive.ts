import { ApplicationFailure, type WorkflowInfo, workflowInfo } from '@temporalio/workflow';
import { HAND_OVER_VERSION, type HandOver } from '../../contract/hand-over.ts';
import type { LaneEntry } from '../../contract/job-lanes.ts';
import { LIMITS } from '../../contract/limits.ts';
import { TASK_STATUSES } from '../../contract/status.ts';
import type { TaskType } from '../../contract/task-types.ts';
import {
  above0,
  anyRecord,
  anyText,
  anything,
  asSentence,
  atLeast,
  finite,
  firstProblem,
  flag,
  isRecord,
  list,
  listOf,
  oneOf,
  orNull,
  record,
  type Shape,
  text,
  time,
  whole,
} from './shapes.ts';

/** The arguments that a workflow was started with. */
export interface Received<B> {
  /** The first argument; an empty object if it is not an object. */
  body: B;
  /** The first argument as received. `admit` validates what a person wrote and names each bad field. */
  raw: unknown;
  /** The second argument; empty when the workflow was started by hand. */
  given: Omit<HandOver, 'v' | 'from'>;
  /** Set if the product cannot have started the workflow with these arguments. */
  refusal: ApplicationFailure | undefined;
}

const id = text(LIMITS.workflowIdChars);
/** Leaves room in the ids and search attributes of what the task starts, and in the name of its staged items. */
const ID_CHARS = { reindex: LIMITS.taskIdChars, other: LIMITS.workflowIdChars - 100 } as const;
const name = text(LIMITS.nameChars);
const count = whole(0);

const previous = record({
  attempts: count,
  'maxAttempts?': count,
  createTime: time,
  errors: listOf(atLeast({ attempt: count, time: text(40), type: anyText, message: anyText })),
  data: anyRecord,
  progress: record({ done: count, total: count, failed: count, perSecond: finite, etaSeconds: orNull(finite) }),
  'version?': orNull(whole(1)),
  'sameAttempt?': flag,
  'onlyFailed?': flag,
  'steering?': listOf(anyRecord),
  'status?': oneOf(...TASK_STATUSES),
  'children?': anyRecord,
  'signals?': anyRecord,
});

const mirror = record({
  lock: text(40),
  lockSeconds: above0,
  sourceNo: whole(1),
  destNo: whole(1),
  mark: count,
  'alias?': name,
  'reads?': anyRecord,
  'watch?': anyRecord,
});

const plan = atLeast({
  timeoutMs: above0,
  queue: text(LIMITS.nameChars),
  bind: flag,
  onDuplicate: oneOf('parallel', 'discard', 'serial', 'queue_one'),
  keyHash: text(LIMITS.taskIdChars),
  newest: flag,
  maxAttempts: whole(1),
  backOff: record({ initialMs: count, factor: above0, maxMs: count }),
  runs: orNull(anyRecord),
  priority: whole(1),
  fairnessKey: orNull(text(LIMITS.taskIdChars)),
  startTimeoutMs: above0,
  isolate: oneOf('none', 'thread', 'process'),
});

const COMMON: Record<string, Shape> = { v: whole(1), 'from?': text(40), 'previous?': previous };
const LIVE_WRITE: Record<string, Shape> = {
  ...COMMON,
  'accepted?': record({
    version: whole(1),
    total: whole(1),
    'indexNo?': orNull(whole(1)),
    staging: id,
    'by?': text(LIMITS.taskIdChars),
  }),
  'write?': anyRecord,
  'forget?': flag,
};

/** Fields of the second argument, for the types of tasks that have more than the common ones. */
const GIVEN: Partial<Record<TaskType, Record<string, Shape>>> = {
  upsert: LIVE_WRITE,
  delete: LIVE_WRITE,
  reindex: { ...COMMON, 'reindex?': anyRecord, 'by?': text(LIMITS.taskIdChars) },
  'reindex-slice': { ...COMMON, 'slice?': anyRecord },
  audit: { ...COMMON, 'audit?': anyRecord },
  'vector-index': { ...COMMON, 'indexNo?': whole(1) },
  'delete-index': {
    ...COMMON,
    'retired?': record({ parentId: id, indexNo: whole(1), 'mirror?': mirror }),
    'indexNo?': whole(1),
    'deletion?': anyRecord,
  },
  steer: { ...COMMON, 'by?': text(LIMITS.taskIdChars) },
  job: {
    ...COMMON,
    'plan?': plan,
    'turn?': record({ kind: oneOf('runs', 'waits'), 'behind?': id }),
    'duplicateOf?': id,
  },
};
/** Fields with the state of an earlier run. Their contents come from that run, so they are not checked further. */
const OF_AN_EARLIER_RUN = ['write', 'reindex', 'slice', 'deletion', 'audit'] as const;

const ACCEPTED_WRITE = record({
  index: name,
  'taskId?': anything,
  'items?': anything,
  'ids?': anything,
  'onReindex?': oneOf('forward', 'wait', 'refuse'),
  'ignoreFailedItems?': flag,
  'maxAttempts?': whole(1, 100),
});

/** A job with a plan. The client has checked its options, and `plan` holds their meaning. */
const PLANNED_JOB = atLeast({ name });

const SLICE = record({
  parentId: id,
  lock: text(40),
  sourceNo: whole(1),
  destNo: whole(1),
  after: orNull(text(LIMITS.objectIdChars)),
  until: orNull(text(LIMITS.objectIdChars)),
  batchSize: whole(1),
  'inFlight?': whole(1),
  ratePerSecond: orNull(above0),
  'again?': flag,
});

/**
 * Parses the arguments of a task's workflow. Accepts a second argument only in the product's own form, and the state of
 * an earlier run only from the run that this one continues, so that input cannot place a task in the middle of its
 * work. Pure, because it is replayed.
 */
export function receive<B extends object>(type: TaskType, first: B, second?: unknown): Received<B> {
  const raw: unknown = first;
  const info = workflowInfo();
  const problem = problemOf(type, raw, second, info);
  const refusal = problem === undefined ? undefined : ApplicationFailure.nonRetryable(problem, 'InvalidInput');
  const body = (isRecord(raw) ? { ...raw } : {}) as B & { maxAttempts?: unknown };
  if (whole(1, 100)(body.maxAttempts) !== undefined) delete body.maxAttempts;
  const { v: _v, from: _from, ...given } = (refusal ? {} : (second ?? {})) as Partial<HandOver>;
  return { body, raw, given, refusal };
}

function problemOf(type: TaskType, first: unknown, second: unknown, info: WorkflowInfo): string | undefined {
  const maxIdChars = type === 'reindex' ? ID_CHARS.reindex : ID_CHARS.other;
  if (!info.parent && info.workflowId.length > maxIdChars) {
    return `the workflow id: must be a text of 1 to ${maxIdChars} characters`;
  }
  if (type === 'reindex-slice' && !info.parent) return 'a slice is started by its reindex alone: start a reindex';
  if (second !== undefined) {
    const problem = problemOfHandOver(GIVEN[type] ?? COMMON, second, info);
    if (problem !== undefined) return `the second argument: ${problem}`;
  }
  const expected = shapeOfBody(type, (second ?? {}) as Partial<HandOver>)?.(first);
  if (expected !== undefined) return `the first argument: ${asSentence(expected)}`;
  if (type === 'reindex-slice' && (first as { parentId: string }).parentId !== info.parent?.workflowId) {
    return 'the first argument: parentId: must be the reindex that starts it';
  }
  return undefined;
}

function problemOfHandOver(fields: Record<string, Shape>, given: unknown, info: WorkflowInfo): string | undefined {
  if (!isRecord(given)) return 'must be an object that the product itself has made';
  if (given.v !== HAND_OVER_VERSION) return `v: must be ${HAND_OVER_VERSION}: leave this argument out`;
  const problem = firstProblem(given, fields);
  if (problem !== undefined) return problem;
  const { from, previous: carried } = given as unknown as HandOver;
  if (from !== undefined && from !== info.continuedFromExecutionRunId)
    return 'from: must be the run that continues as this one';
  const place = OF_AN_EARLIER_RUN.find((key) => given[key] !== undefined);
  if (from === undefined && place !== undefined) return `${place}: is taken only of the run that continues as this one`;
  if (from === undefined && carried?.sameAttempt)
    return 'previous.sameAttempt: is taken only of the run that continues as this one';
  return undefined;
}

/** Returns the shape of a body that no activity checks. */
function shapeOfBody(type: TaskType, { accepted, plan: planned }: Partial<HandOver>): Shape | undefined {
  if (type === 'reindex-slice') return SLICE;
  if ((type === 'upsert' || type === 'delete') && accepted) return ACCEPTED_WRITE;
  return type === 'job' && planned ? PLANNED_JOB : undefined;
}

/** Returns the entries of a lane that continues as a new run; none for a new lane. */
export function receiveEntries(second: unknown): LaneEntry[] {
  if (second === undefined) return [];
  const fields = { v: whole(1), from: text(40), entries: list };
  const problem = problemOfHandOver(fields, second, workflowInfo());
  if (problem === undefined) return (second as { entries: LaneEntry[] }).entries;
  throw ApplicationFailure.nonRetryable(`the second argument: ${problem}`, 'InvalidInput');
}

/** Checks the argument of a workflow that is no task: its activities would be retried with it for hours. */
export function requireArgument(shape: Shape, argument: unknown): void {
  const problem = shape(argument);
  if (problem === undefined) return;
  throw ApplicationFailure.nonRetryable(`the first argument: ${asSentence(problem)}`, 'InvalidInput');
}

/** Builds the second argument of the run that continues this task. */
export function handOver(given: Omit<HandOver, 'v' | 'from'>): HandOver {
  return { v: HAND_OVER_VERSION, from: workflowInfo().runId, ...given };
}
