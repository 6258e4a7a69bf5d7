import { readFileSync } from 'node:fs';
import type { ComparedMetric, Comparison } from './harness.ts';
import type { Report } from './report.ts';

// npx tsx bench/plot.ts REPORT.json … > PLOT.svg
const WIDTH = 1290;
const ROW = 26;
/** To the left are labels of up to 120 characters. */
const MARGIN = { top: 70, bottom: 40, left: 840, right: 40 };
const HIGHER = '#2563eb';
const LOWER = '#d97706';
const MEDIAN = '#111827';
const LEGEND = [
  ['higher is better', HIGHER],
  ['lower is better', LOWER],
  ['ratio of the medians', MEDIAN],
] as const;

interface Row {
  label: string;
  better: ComparedMetric['better'];
  /** One ratio per pair of runs. */
  ratios: number[];
  ratio: number;
}

/** Plots how each metric compares with its baseline: a dot per pair of runs, a line for the ratio of the medians. */
export function plotReports(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ benchmark, comparisons }) => comparisons.flatMap((one) => rowsOf(benchmark, one)));
  const bottom = MARGIN.top + rows.length * ROW;
  const shapes = [
    `<rect width="${WIDTH}" height="${bottom + MARGIN.bottom}" fill="#fff"/>`,
    text(
      WIDTH / 2,
      24,
      'Ratio to the baseline that ran beside it',
      'font-size="14" font-weight="bold" text-anchor="middle"',
    ),
    ...LEGEND.flatMap(([label, color], at) => legendEntry(label, color, WIDTH / 2 - 210 + at * 150)),
    ...ticksOf(rows).flatMap((ratio) => [
      line(xOf(ratio, rows), MARGIN.top, bottom, ratio === 1 ? '#6b7280' : '#e5e7eb'),
      text(xOf(ratio, rows), bottom + 18, String(ratio), 'text-anchor="middle"'),
    ]),
    ...rows.flatMap((row, at) => rowShapes(row, MARGIN.top + (at + 0.5) * ROW, (ratio) => xOf(ratio, rows))),
  ];
  const size = `width="${WIDTH}" height="${bottom + MARGIN.bottom}"`;
  const font = 'font-family="sans-serif" font-size="12" fill="#374151"';
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font}>\n${shapes.join('\n')}\n</svg>\n`;
}

function rowShapes({ label, better, ratios, ratio }: Row, y: number, x: (ratio: number) => number): string[] {
  const color = better === 'higher' ? HIGHER : LOWER;
  return [
    text(MARGIN.left - 12, y + 4, label, 'text-anchor="end"'),
    ...ratios.map((each) => `<circle cx="${x(each).toFixed(1)}" cy="${y}" r="4" fill="${color}" fill-opacity="0.8"/>`),
    `<rect x="${(x(ratio) - 1.5).toFixed(1)}" y="${y - 9}" width="3" height="18" fill="${MEDIAN}"/>`,
  ];
}

function legendEntry(label: string, color: string, x: number): string[] {
  return [`<rect x="${x}" y="38" width="10" height="10" fill="${color}"/>`, text(x + 16, 47, label)];
}

/** Returns the powers of ten around all ratios, with at least 0.1 to 10. */
function decadesOf(rows: readonly Row[]): [least: number, most: number] {
  const decades = rows
    .flatMap((row) => [row.ratio, ...row.ratios])
    .filter((ratio) => ratio > 0)
    .map(Math.log10);
  return [Math.floor(Math.min(-1, ...decades)), Math.ceil(Math.max(1, ...decades))];
}

function ticksOf(rows: readonly Row[]): number[] {
  const [least, most] = decadesOf(rows);
  return Array.from({ length: most - least + 1 }, (_, at) => Number(`1e${least + at}`));
}

/** A logarithmic scale; a ratio of 0 is drawn at its left end. */
function xOf(ratio: number, rows: readonly Row[]): number {
  const [least, most] = decadesOf(rows);
  const share = (Math.max(Math.log10(ratio), least) - least) / (most - least);
  return MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right);
}

function line(x: number, top: number, bottom: number, color: string): string {
  return `<path d="M${x.toFixed(1)} ${top}V${bottom}" stroke="${color}"/>`;
}

function text(x: number, y: number, words: string, attributes = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}

function rowsOf(benchmark: string, { title, metrics }: Comparison): Row[] {
  return metrics.flatMap(({ name, better, candidate, baseline, ratio }) => {
    if (ratio === null) return [];
    const ratios = candidate.values.map((value, at) => value / (baseline.values[at] ?? 0)).filter(Number.isFinite);
    return [{ label: `${benchmark}, ${title}: ${name}`, better, ratios, ratio }];
  });
}

if (process.argv[1]?.endsWith('plot.ts')) {
  const reports = process.argv.slice(2).map((file): Report => JSON.parse(readFileSync(file, 'utf8')));
  process.stdout.write(plotReports(reports));
}
