import { type Comparison, formatNumber, type Summary } from './harness.ts';
import type { Machine } from './machine.ts';

export interface Report {
  benchmark: string;
  /** ISO 8601. */
  time: string;
  machine: Machine;
  comparisons: Comparison[];
}

/** Formats the report as a table for people. */
export function formatReport({ benchmark, machine, comparisons }: Report): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${benchmark} on ${machine.cores} × ${machine.cpu}, ${machine.memoryGib} GiB, ${machine.platform}, ${versions.join(', ')}`,
    ...comparisons.map(formatComparison),
  ].join('\n\n');
}

function formatComparison({ title, candidate, baseline, runs, metrics }: Comparison): string {
  const rows = [
    [title, candidate, baseline, 'ratio', 'better is'],
    ...metrics.map((metric) => [
      `${metric.name} (${metric.unit})`,
      formatSummary(metric.candidate),
      formatSummary(metric.baseline),
      metric.ratio === null ? '-' : metric.ratio.toFixed(2),
      metric.better,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return [...lines, `median (min to max) of ${runs} runs each`].map((line) => line.trimEnd()).join('\n');
}

function formatSummary({ median, min, max }: Summary): string {
  return `${formatNumber(median)} (${formatNumber(min)} to ${formatNumber(max)})`;
}
