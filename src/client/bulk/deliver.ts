import { type ErrorType, ReembedError } from '../../contract/errors.ts';
import type { FailedItem, Tracker } from '../../contract/tasks.ts';
import { pause } from '../pause.ts';
import type { Run } from '../run.ts';
import { operationOf, type Pending } from './operation.ts';
import type { CheckedOptions } from './options.ts';
import type { BulkFailed, BulkReport, BulkStage, BulkSummary } from './report.ts';

/** Errors after which a batch can be sent again: it is the same task, so it runs at most once. */
const AGAIN: readonly ErrorType[] = [
  'ServerUnavailable',
  'TemporalUnavailable',
  'DatabaseUnavailable',
  'TooManyRequests',
];

/** Backoff between two tries: doubled each time, with jitter, so that many clients do not return at the same time. */
const BACK_OFF_MS = { first: 250, max: 30_000 } as const;

/** Max. wait between two tries, even if a server asks for more. */
const MAX_WAIT_MS = 10 * 60_000;

export interface DeliverOptions {
  run: Run;
  failedItems: (taskId: string) => AsyncIterable<FailedItem>;
  options: CheckedOptions;
  signal: AbortSignal;
  /** Updated as batches end. */
  summary: BulkSummary;
  /** Called when a batch was too large for the API, with half its size in bytes. */
  onTooLarge: (bytes: number) => void;
}

export type Deliver = (op: Pending['op'], operations: readonly Pending[]) => Promise<BulkReport[]>;

/**
 * Sends batches, each as one task, and returns the outcome of each operation. If the API rejects a batch for some of
 * its items, or for its size, sends the rest as other tasks. Throws when `signal` aborts, but not for server errors.
 */
export function createDeliver({ run, failedItems, options, signal, summary, onTooLarge }: DeliverOptions): Deliver {
  const { index, onReindex, wait, retries } = options;
  const prefix = `bulk-${randomText()}`;
  let tasks = 0;

  async function runTask(taskId: string, op: Pending['op'], operations: readonly Pending[]) {
    const items = `[${operations.map(({ json }) => json).join(',')}]`;
    const head = JSON.stringify({ taskId, index, onReindex });
    const jsonText = `${head.slice(0, -1)},"${op === 'upsert' ? 'items' : 'ids'}":${items}}`;
    const tracker = await run(`/v1/tasks/${op}/run`, { jsonText }, { wait, signal });
    const failed = new Map<string, FailedItem>();
    if (wait && (tracker.status !== 'done' || tracker.progress.failed > 0)) {
      for await (const item of failedItems(taskId)) failed.set(item.objectId, item);
    }
    return { tracker, failed };
  }

  async function tryAgain<T>(call: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await call();
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ReembedError) || !AGAIN.includes(error.type) || tries >= retries) throw error;
        const backOff = Math.min(BACK_OFF_MS.max, BACK_OFF_MS.first * 2 ** tries) * (1 + Math.random());
        await pause(Math.min(MAX_WAIT_MS, Math.max(error.retryAfterMs ?? 0, backOff)), signal);
        summary.retries++;
      }
    }
  }

  async function deliver(op: Pending['op'], operations: readonly Pending[]): Promise<BulkReport[]> {
    const taskId = `${prefix}-${++tasks}`;
    const bytes = operations.reduce((sum, operation) => sum + operation.bytes, 0);
    try {
      const { tracker, failed } = await tryAgain(() => runTask(taskId, op, operations));
      summary.batches++;
      summary.bytes += bytes;
      if (wait) countIn(summary, tracker);
      return operations.map((operation) => reportOf(operation, taskId, tracker, failed, wait));
    } catch (error) {
      if (signal.aborted || !(error instanceof ReembedError)) throw error;
      if (error.type === 'TooLarge' && operations.length > 1) {
        onTooLarge(bytes / 2);
        const middle = Math.ceil(operations.length / 2);
        const halves = [operations.slice(0, middle), operations.slice(middle)];
        return [...(await deliver(op, halves[0] ?? [])), ...(await deliver(op, halves[1] ?? []))];
      }
      const bad = badItems(error, op);
      const detailOf = (at: number) => bad.get(at) ?? error.message;
      const isRefused = (at: number) => bad.size === 0 || bad.has(at);
      const sent = error.status < 500 ? null : taskId; // null if it was certainly refused
      const refused = operations.flatMap((operation, at) =>
        isRefused(at) ? [failure(operation, sent, 'accept', error.type, detailOf(at))] : [],
      );
      const rest = operations.filter((_operation, at) => !isRefused(at));
      return rest.length === 0 ? refused : [...refused, ...(await deliver(op, rest))];
    }
  }

  return deliver;
}

/** Returns the problems of individual items, by position in the batch. */
function badItems({ type, issues }: ReembedError, op: Pending['op']): Map<number, string> {
  const bad = new Map<number, string>();
  if (type !== 'InvalidInput') return bad;
  for (const { path, message } of issues) {
    const [field, at, ...rest] = path.split('.');
    if (field !== (op === 'upsert' ? 'items' : 'ids') || !/^\d+$/.test(at ?? '')) return new Map();
    bad.set(
      Number(at),
      [bad.get(Number(at)), [rest.join('.'), message].filter(Boolean).join(': ')].filter(Boolean).join('; '),
    );
  }
  return bad;
}

function reportOf(
  operation: Pending,
  taskId: string,
  tracker: Tracker,
  failed: ReadonlyMap<string, FailedItem>,
  wait: boolean,
): BulkReport {
  const { op, id } = operation;
  if (!wait) return { op, id, status: 'accepted', taskId };
  const item = failed.get(id);
  if (item) return failure(operation, taskId, item.stage, item.reason, item.detail);
  if (tracker.status === 'done') return { op, id, status: 'done', taskId };
  return failure(operation, taskId, 'task', tracker.status, tracker.detail);
}

function failure(
  operation: Pending,
  taskId: string | null,
  stage: BulkStage,
  reason: string,
  detail: string,
): BulkFailed {
  const { op, id } = operation;
  return { op, id, status: 'failed', taskId, stage, reason, detail, operation: operationOf(operation) };
}

function countIn(summary: BulkSummary, { data }: Tracker): void {
  for (const name of ['written', 'unchanged', 'stale'] as const) summary[name] += Number(data[name] ?? 0);
}

/** Not `randomUUID`, which browsers provide only on secure pages. */
function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
