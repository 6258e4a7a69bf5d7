import type { Tracker } from '../../contract/tasks.ts';
import type { WaitsFor } from '../../contract/waits.ts';

/** Why a task stands still, and what to do about it. */
export interface Reason {
  title: string;
  text: string;
  /** When it continues by itself; null if it does not, or if that is unknown. */
  nextTry: string | null;
}

/** What to do about an error of a model, by its type. */
const MODEL_ADVICE: Record<string, string> = {
  ModelUnavailable: 'Check that the model’s server runs and can be reached from the workers.',
  ModelRateLimited: 'The provider asks to slow down. It continues by itself; a lower speed limit avoids it.',
  ModelUnauthorized: 'Check the key of the model in the environment of the workers.',
  ModelNotFound: 'Check the name of the model and its endpoint.',
  ModelQuotaUsedUp: 'Raise the quota at the provider, then resume the task.',
};

const JOB_ADVICE =
  'Start one that knows the definition of the job: reembed worker --tasks. If one runs, wait until it is free.';

/** How long a running reindex may report nothing before it counts as standing still. */
const SILENT_MS = 3 * 60_000;

type Row = Pick<Tracker, 'status' | 'type'> & Partial<Tracker>;

/** Returns why a task stands still at this moment; null if it does not. */
export function reasonOf(tracker: Row, ended: boolean, nowMs: number): Reason | null {
  const { status, type, data = {}, updateTime, unanswered, errors = [], progress, pace } = tracker;
  if (ended) return null;
  if (unanswered) {
    const text = 'Its state is the last one that it published. Start a worker: reembed worker, or reembed dev.';
    return { title: 'No worker answers', text, nextTry: null };
  }
  const waits = data.waitsFor as WaitsFor | undefined;
  if (waits) return ofWaits(waits);
  if (status === 'pending') {
    const waited = nowMs - Date.parse(tracker.createTime ?? '');
    if (!(waited > 5_000)) return null;
    return { title: 'It waits for a worker', text: 'No worker has taken it up yet.', nextTry: null };
  }
  if (pace?.reason === 'worker' && pace.share === null) {
    const text = type === 'job' ? JOB_ADVICE : 'Start one, or wait until one of those that run is free.';
    return { title: 'It waits for a worker', text, nextTry: null };
  }
  const [error] = errors;
  if (status === 'paused' && error?.type.startsWith('Model'))
    return { title: `Paused by an error of the model: ${error.type}`, text: adviceFor(error.type), nextTry: null };
  const silent = nowMs - Date.parse(updateTime ?? '');
  if (type === 'reindex' && status === 'processing' && silent > SILENT_MS && progress && progress.done < progress.total)
    return {
      title: 'No progress',
      text: 'It has reported nothing for some minutes.',
      nextTry: null,
    };
  return null;
}

function ofWaits({ reason, message, nextTry }: WaitsFor): Reason {
  const title = reason.startsWith('Model') ? 'It waits for the model' : `It waits because of ${reason}`;
  const said = /[.!?]$/.test(message) ? message : `${message}.`;
  return { title, text: `${said} ${adviceFor(reason)}`.trim(), nextTry };
}

function adviceFor(type: string): string {
  return MODEL_ADVICE[type] ?? '';
}
