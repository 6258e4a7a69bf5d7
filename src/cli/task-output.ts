import type { ReembedClient, TaskRow } from '../client/client.ts';
import type { Tracker } from '../contract/tasks.ts';
import { EXIT, Exit } from './errors.ts';
import { fields, type Io, oneLine, table, writeResult } from './output.ts';
import { type Paint, paintIf } from './paint.ts';
import { createProgress, durationText } from './progress.ts';

/** Reports a task that was accepted, or that already existed with its id. */
export function writeAccepted(io: Io, json: boolean | undefined, tracker: Tracker): void {
  writeResult(
    io,
    json,
    tracker,
    () => `task ${tracker.id} is ${tracker.status}; follow it: reembed tasks watch ${tracker.id}`,
  );
}

/** Writes all details of a task. */
export function writeTracker(io: Io, json: boolean | undefined, tracker: Tracker): void {
  writeResult(io, json, tracker, () => trackerText(tracker, paintIf(io.colours?.out)));
}

/** Formats tasks as a table, one per line. */
export function taskTable(tasks: readonly TaskRow[], paint: Paint): string {
  return table(
    tasks,
    [
      { title: 'TASK', value: (row) => row.id },
      { title: 'TYPE', value: (row) => row.type },
      { title: 'STATUS', value: (row) => row.status, paint: (text, { status }) => paint.status(text, status) },
      { title: 'DONE', value: ({ progress }) => progress && `${progress.done}/${progress.total}`, right: true },
      { title: 'FAILED', value: ({ progress }) => progress?.failed, right: true },
      { title: 'CREATED', value: (row) => row.createTime },
      { title: 'DETAIL', value: (row) => row.detail?.slice(0, 60) },
    ],
    'no tasks',
  );
}

function trackerText(tracker: Tracker, paint: Paint): string {
  const { progress, errors, children } = tracker;
  const pace = progress.perSecond > 0 ? `, ${progress.perSecond} per second` : '';
  const eta = progress.etaSeconds ? `, about ${durationText(progress.etaSeconds)} left` : '';
  const shown = fields([
    ['task', tracker.id],
    ['type', tracker.type],
    ['status', tracker.status, (text) => paint.status(text, tracker.status)],
    ['detail', tracker.detail],
    ['slowed by', tracker.pace?.text],
    ['progress', `${progress.done} of ${progress.total}, ${progress.failed} failed${pace}${eta}`],
    ['attempts', `${tracker.attempts} of ${tracker.maxAttempts}`],
    ['parent', tracker.parentId],
    [
      'children',
      Object.entries(children)
        .filter(([, count]) => count > 0)
        .map(([status, count]) => `${count} ${status}`)
        .join(', '),
    ],
    ['created', tracker.createTime],
    ['updated', tracker.updateTime],
    ['version', tracker.version],
    ['data', Object.keys(tracker.data).length > 0 ? JSON.stringify(tracker.data) : null],
    ['workflow', `${tracker.links.workflowId} (run ${tracker.links.runId})`],
  ]);
  const lines = errors.flatMap(({ attempt, time, type, message, causes = [] }) => [
    oneLine(`  attempt ${attempt}, ${time}: ${type}: ${message}`),
    ...causes.map((cause) => oneLine(`    caused by ${cause.type}: ${cause.message}`)),
  ]);
  return lines.length === 0 ? shown : `${shown}\nerrors, newest first\n${lines.join('\n')}`;
}

/**
 * Follows a task to its end and reports the result. Ctrl-C only stops following: the task continues.
 * @throws Exit with 1 unless the task is done; with 130 when it was interrupted.
 */
export async function followTask(
  io: Io,
  client: ReembedClient,
  taskId: string,
  { json, each }: { json?: boolean; each?: (tracker: Tracker) => void } = {},
): Promise<void> {
  const controller = new AbortController();
  const release = io.onInterrupt(() => controller.abort());
  // With JSON a program is reading, which needs no progress lines.
  const progress = json && !io.terminal ? null : createProgress(io);
  let last: Tracker | undefined;
  try {
    for await (const tracker of client.tasks.events(taskId, { signal: controller.signal })) {
      last = tracker;
      if (each) each(tracker);
      else progress?.show(tracker);
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    progress?.end();
    release();
  }
  if (controller.signal.aborted) {
    io.err(
      `\nthe task continues; follow it: reembed tasks watch ${taskId}, cancel it: reembed tasks cancel ${taskId}\n`,
    );
    throw new Exit(EXIT.interrupted);
  }
  const tracker = last ?? (await client.tasks.info(taskId));
  if (!each) writeResult(io, json, tracker, () => endText(tracker, paintIf(io.colours?.out)));
  if (tracker.status !== 'done') throw new Exit(EXIT.failed);
}

function endText(tracker: Tracker, paint: Paint): string {
  const { id, status, detail, progress, errors } = tracker;
  const failed = progress.failed > 0 ? `, ${progress.failed} failed (reembed tasks failed-items ${id})` : '';
  const [error] = errors;
  // Some details quote the error.
  const isNew = status !== 'done' && error !== undefined && !detail.includes(error.message);
  const count = progress.total > 0 ? `${progress.done} of ${progress.total}${failed}` : '';
  const facts = [count, oneLine(detail)].filter((text) => text !== '').join('; ');
  const why = isNew ? `\n  ${oneLine(`${error.type}: ${error.message}`)}` : '';
  return `task ${id} is ${paint.status(status, status)}${facts && `: ${facts}`}${why}`;
}
