import type { TaskRow } from '../client/client.ts';
import { isRetrying } from '../contract/status.ts';
import { PACE_REASONS } from '../contract/task-pace.ts';
import { shortId, titleOf } from '../contract/task-title.ts';
import { oneLine, table } from './output.ts';
import type { Paint } from './paint.ts';
import { durationText } from './progress.ts';

/** Characters of what a task does, in a narrow terminal; a wider one gives a third of its width. */
const MIN_TITLE = 22;
/** Fewer characters of a detail say nothing. */
const MIN_DETAIL = 8;
/** What the other columns take, at most: status, counts, pace and id with the spaces between. */
const OTHERS = 50;

/**
 * Formats tasks as a table that fits a terminal: those that have not ended first, each on one line, with what it does, how
 * fast it goes and a short id. `columns` is the width of the terminal in characters.
 */
export function watchTable(tasks: readonly TaskRow[], { columns, paint }: { columns: number; paint: Paint }): string {
  const title = Math.max(MIN_TITLE, Math.floor(columns / 3));
  const detail = columns - title - OTHERS;
  const rows = [...tasks].sort((a, b) => Number(a.ended === true) - Number(b.ended === true));
  return table(
    rows,
    [
      { title: 'WHAT', value: (row) => cut(titleOf(row), title) },
      { title: 'STATUS', value: statusText, paint: (text, { status }) => paint.status(text, status) },
      { title: 'DONE', value: doneText, right: true },
      { title: 'PACE', value: paceText },
      { title: 'ID', value: ({ id }) => cut(shortId(id), 10) },
      ...(detail >= MIN_DETAIL
        ? [{ title: 'DETAIL', value: (row: TaskRow) => cut(oneLine(row.detail ?? ''), detail) }]
        : []),
    ],
    'no tasks',
  );
}

const statusText = ({ status, ended }: TaskRow) => (isRetrying(status, ended) ? 'retrying' : status);

/** Large numbers are rounded, so that a column stays narrow. */
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

function doneText({ progress }: TaskRow): string {
  if (!progress || progress.total === 0) return '';
  return `${short.format(progress.done)}/${short.format(progress.total)}`;
}

/** Below this share, a task moves on, and its time left says more than what slows it. */
const MOSTLY = 0.5;

/** The time left of a task that runs, what mostly slows it, or how many of its items have failed. */
function paceText({ status, progress, pace, ended }: TaskRow): string {
  if (!progress) return '';
  const { failed, perSecond, etaSeconds, done, total } = progress;
  if (failed > 0) return `${short.format(failed)} failed`;
  if (ended !== true && pace && (pace.share === null || pace.share >= MOSTLY)) return PACE_REASONS[pace.reason];
  if (ended === true || status !== 'processing' || perSecond === 0) return '';
  return etaSeconds !== null && done < total ? `ETA ${durationText(etaSeconds)}` : `${short.format(perSecond)}/s`;
}

const cut = (text: string, max: number) => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);
