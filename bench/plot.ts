import { readFileSync } from 'node:fs';
import { init } from 'echarts';
import type { ComparedMetric, Comparison } from './harness.ts';
import type { Report } from './report.ts';

// npx tsx bench/plot.ts REPORT.json … > PLOT.svg
const WIDTH = 1100;
const ROW = 26;
const MARGIN = { top: 70, bottom: 40, left: 580, right: 60 };

interface Row {
  label: string;
  better: ComparedMetric['better'];
  /** Of each pair of runs. */
  ratios: number[];
  ratio: number;
}

/** How each metric compares with its baseline: a dot for each pair of runs, a line for the ratio of the medians. */
export function plotReports(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ benchmark, comparisons }) => comparisons.flatMap((one) => rowsOf(benchmark, one)));
  const height = MARGIN.top + MARGIN.bottom + rows.length * ROW;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const points = (better: Row['better']) =>
    rows.flatMap((row, at) => (row.better === better ? row.ratios.map((ratio) => [ratio, at]) : []));
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: 'Ratio to the baseline that ran beside it', left: 'center', top: 6, textStyle: { fontSize: 14 } },
    legend: { top: 34, data: ['higher is better', 'lower is better', 'ratio of the medians'] },
    grid: MARGIN,
    xAxis: { type: 'log', min: 0.1, name: 'ratio', axisLabel: { formatter: (value: number) => String(value) } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(({ label }) => label),
      axisTick: { show: false },
      splitLine: { show: true },
    },
    series: [
      { name: 'higher is better', type: 'scatter', symbolSize: 8, color: '#2563eb', data: points('higher') },
      { name: 'lower is better', type: 'scatter', symbolSize: 8, color: '#d97706', data: points('lower') },
      {
        name: 'ratio of the medians',
        type: 'scatter',
        symbol: 'rect',
        symbolSize: [3, 18],
        color: '#111827',
        data: rows.map(({ ratio }, at) => [ratio, at]),
        markLine: { silent: true, symbol: 'none', label: { show: false }, data: [{ xAxis: 1 }] },
      },
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
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
