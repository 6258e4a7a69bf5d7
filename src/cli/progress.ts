import { type Options, Presets, SingleBar } from 'cli-progress';
import { PACE_REASONS } from '../contract/task-pace.ts';
import type { Tracker } from '../contract/tasks.ts';
import { type Io, oneLine } from './output.ts';

export interface ProgressView {
  show(tracker: Tracker): void;
  end(): void;
}

const LINE_EVERY_MS = 5_000;

/** Shows the progress of a task: a bar on a terminal, otherwise a line every few seconds. */
export function createProgress(io: Io): ProgressView {
  return io.terminal ? createBar(io.terminal) : createLines(io);
}

/** Shows how much of a file has been sent: a bar on a terminal, otherwise nothing. */
export function createSending(io: Io): { show: (bytes: number, all: number) => void; end: () => void } {
  if (!io.terminal) return { show: () => {}, end: () => {} };
  const bar = barOn(io.terminal, 'sending   {bar} {percentage}%');
  let started = false;
  return {
    show(bytes, all) {
      if (!started) bar.start(all, bytes);
      started = true;
      bar.update(bytes);
    },
    end() {
      if (started) bar.stop();
    },
  };
}

const BAR_CHARS = 28;

function barOn(stream: NodeJS.WriteStream, format: NonNullable<Options['format']>): SingleBar {
  return new SingleBar(
    {
      stream,
      format,
      barsize: BAR_CHARS,
      hideCursor: true,
      autopadding: false,
      etaBuffer: 1,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
}

function createBar(terminal: NodeJS.WriteStream): ProgressView {
  // Redrawn only at events; each change sends one.
  const bar = barOn(terminal, (_options, _params, { line }: { line: string }) => line);
  let started = false;
  return {
    show(tracker) {
      const { done, total } = tracker.progress;
      const payload = { line: progressLine(tracker, terminal.columns || DEFAULT_COLUMNS) };
      if (!started) bar.start(total, done, payload);
      started = true;
      bar.setTotal(total);
      bar.update(done, payload);
    },
    end() {
      if (started) bar.stop();
    },
  };
}

/** Of a terminal that does not say how wide it is. */
export const DEFAULT_COLUMNS = 80;
/** Fewer characters of a detail say nothing. */
const MIN_DETAIL = 12;
/** The fraction of a second in a moment, which nobody reads. */
const FRACTION = /(T\d\d:\d\d:\d\d)\.\d{1,9}Z/g;

/**
 * Formats a task in one line of a terminal: its phase or status and, if it has items, a bar with count and pace; then its
 * detail, which says why a task that does not run waits, as far as there is room. `columns`: the width in characters.
 */
export function progressLine(tracker: Tracker, columns: number): string {
  const { progress, status, detail } = tracker;
  const { done, total } = progress;
  const filled = total === 0 ? 0 : Math.min(BAR_CHARS, Math.round((done / total) * BAR_CHARS));
  const bar = total === 0 ? '' : `${'█'.repeat(filled)}${'░'.repeat(BAR_CHARS - filled)} ${done}/${total}`;
  const line = [phaseOf(tracker).padEnd(9), bar, paceOf(tracker)].filter((part) => part !== '').join(' ');
  const room = columns - line.length - 2;
  const isSaid = total > 0 && status === 'processing';
  if (isSaid || detail === '' || room < MIN_DETAIL) return line.slice(0, columns - 1);
  const text = oneLine(detail).replace(FRACTION, '$1Z');
  return `${line} ${text.length <= room ? text : `${text.slice(0, room - 1)}…`}`;
}

function createLines(io: Io): ProgressView {
  let phase = '';
  let last = 0;
  return {
    show(tracker) {
      const { done, total } = tracker.progress;
      const now = phaseOf(tracker);
      if (now === phase && Date.now() - last < LINE_EVERY_MS) return;
      phase = now;
      last = Date.now();
      io.err(
        `${now}: ${done}/${total}${paceOf(tracker) && ` ${paceOf(tracker)}`}${tracker.detail && `, ${oneLine(tracker.detail)}`}\n`,
      );
    },
    end() {},
  };
}

/** Returns the phase of a running reindex, otherwise the status. */
function phaseOf({ status, data }: Tracker): string {
  return status === 'processing' && typeof data.phase === 'string' ? oneLine(data.phase) : status;
}

function paceOf({ progress, pace, status }: Tracker): string {
  const { failed } = progress;
  // The last ones of a task that does not run say nothing.
  const { perSecond, etaSeconds } = status === 'processing' ? progress : { perSecond: 0, etaSeconds: null };
  return [
    perSecond > 0 ? `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s` : '',
    etaSeconds ? `ETA ${durationText(etaSeconds)}` : '',
    failed > 0 ? `${failed} failed` : '',
    pace ? PACE_REASONS[pace.reason] : '',
  ]
    .filter((text) => text !== '')
    .join(' ');
}

/** Formats seconds as `50s`, `12m 5s`, `3h 20m`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  return `${Math.floor(whole / 3_600)}h ${Math.floor((whole % 3_600) / 60)}m`;
}
