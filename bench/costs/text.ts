import { type Constants, type Forecast, forecast, type Terms } from './forecast.ts';
import type { Limit } from './limits.ts';
import { QUANTITIES, type Quantity, type QuantityName } from './quantities.ts';
import type { CostsReport } from './report.ts';

/** A table for a page or a console: a head, and rows of as many cells. */
export interface TextTable {
  head: string[];
  rows: string[][];
}

const STEPS: [least: number, unit: string][] = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
];
const TIMES: [least: number, unit: string][] = [
  [2 * 86_400, 'days'],
  [7_200, 'hours'],
  [120, 'minutes'],
];
const SECONDS: Record<string, number> = { days: 86_400, hours: 3_600, minutes: 60 };

/** Formats a number for people, with three digits at most that count; large ones with a word. */
export function countText(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  if (Math.abs(value) >= 1e12) return `${short(value / 1e12)} trillion`;
  if (Math.abs(value) >= 1e9) return `${short(value / 1e9)} billion`;
  if (Math.abs(value) >= 1e6) return `${short(value / 1e6)} million`;
  return short(value);
}

/** Formats bytes in units of a thousand. */
export function bytesText(bytes: number): string {
  const [least, unit] = STEPS.find(([from]) => Math.abs(bytes) >= from) ?? [1, 'bytes'];
  return `${short(bytes / least)} ${unit}`;
}

/** Formats seconds in the unit that suits their number. */
export function secondsText(seconds: number): string {
  const unit = TIMES.find(([least]) => seconds >= least)?.[1];
  if (unit) return `${short(seconds / (SECONDS[unit] as number))} ${unit}`;
  return seconds < 1 ? `${short(seconds * 1_000)} ms` : `${short(seconds)} s`;
}

function short(value: number): string {
  if (Math.abs(value) >= 1_000) return Number(value.toPrecision(3)).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

const TEXTS = { bytes: bytesText, s: secondsText, '1': countText } as const;
const THOUSAND = 1_000;

/** What was measured at each size, and the fit. */
export function measuredTable({ measured }: CostsReport, { fits }: Constants): TextTable {
  const rows = Object.entries<Quantity>(QUANTITIES).map(([name, { title, unit, growth }]) => {
    const { fixed, per, error, ahead } = fits[name as QuantityName];
    const show = TEXTS[unit];
    return [
      title,
      ...measured.map(({ figures }) => show(figures[name as QuantityName])),
      ...[
        show(fixed),
        growth === 'linear' ? show(per * THOUSAND) : '',
        percent(error),
        ahead === null ? '' : percent(ahead),
      ],
    ];
  });
  const sizes = measured.map(({ size }) => `${size.toLocaleString('en')} objects`);
  return { head: ['', ...sizes, 'fixed', 'per 1,000', 'error of the fit', 'error ahead'], rows };
}

const percent = (share: number) => (Number.isFinite(share) ? `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %` : '');

/** Writes of one object by one task each, on average. */
export function singleTable({ single }: Constants): TextTable {
  return {
    head: ['a write of one object', 'mean'],
    rows: [
      ['Temporal actions', countText(single.actions)],
      ['history events', countText(single.events)],
      ['history', bytesText(single.history)],
      ['WAL', bytesText(single.wal)],
    ],
  };
}

/** What each number of dimensions takes, per part; the memory without that of a process that builds nothing. */
export function dimensionsTable({ sweep }: CostsReport, { fits }: Constants): TextTable {
  return {
    head: ['dimensions', 'rows and key', 'HNSW index', 'memory of the build', 'WAL of the build', 'build of all'],
    rows: sweep.map(({ dimensions, parts, table, hnsw, memory, wal, seconds }) => [
      dimensions.toLocaleString('en'),
      ...[table, hnsw, memory - fits.buildMemory.fixed, wal].map((bytes) => bytesText(bytes / parts)),
      secondsText(seconds),
    ]),
  };
}

const AHEAD: [string, (made: Forecast) => string][] = [
  ['disk of one index', ({ disk }) => bytesText(disk)],
  ['disk while it is rebuilt', ({ diskWhileRebuilt }) => bytesText(diskWhileRebuilt)],
  ['WAL to write all objects', ({ writeWal }) => bytesText(writeWal)],
  ['WAL of a reindex', ({ reindexWal }) => bytesText(reindexWal)],
  ['memory for the HNSW build', ({ graph }) => bytesText(graph)],
  ['HNSW build in that memory', ({ buildSeconds }) => secondsText(buildSeconds)],
  ['copy, if the model answers at once', ({ copySeconds }) => secondsText(copySeconds)],
  ['copy, by the quota of the model', ({ embedSeconds }) => secondsText(embedSeconds)],
  ['tokens of a reindex', ({ tokens, tokensUsd }) => `${countText(tokens)}, ${usd(tokensUsd)}`],
  ['Temporal actions of a reindex', ({ reindexActions }) => countText(reindexActions)],
  ['history events of a reindex', ({ reindexEvents }) => countText(reindexEvents)],
  ['Temporal actions to write all, 10,000 per task', ({ bulkActions }) => countText(bulkActions)],
  [
    'Temporal actions to write all, one per task',
    ({ singleActions, singleActionsUsd }) => `${countText(singleActions)}, ${usd(singleActionsUsd)}`,
  ],
];

const usd = (value: number) => `$${value < 10 ? value.toFixed(2) : short(value)}`;

/** What indexes of these sizes take. */
export function forecastTable(constants: Constants, sizes: readonly number[], terms: Terms): TextTable {
  const made = sizes.map((parts) => forecast(constants, parts, terms));
  return {
    head: ['', ...sizes.map((parts) => `${countText(parts)} parts`)],
    rows: AHEAD.map(([title, textOf]) => [title, ...made.map(textOf)]),
  };
}

/** What breaks first. */
export function limitsTable(limits: readonly Limit[]): TextTable {
  return {
    head: ['holds up to', 'what', 'bound', 'what to do'],
    rows: limits.map(({ parts, what, bound, todo }) => [
      Number.isFinite(parts) ? `${countText(parts)} parts` : 'any size',
      ...[what, bound, todo],
    ]),
  };
}

/** Lays a table out for a console. */
export function consoleTable({ head, rows }: TextTable): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
