import type { Obstacle, ReindexPlan } from '../contract/plan.ts';
import { graphText, indexBuildText, type PlanRow, planRowsOf } from '../contract/plan-rows.ts';
import { oneLine, table } from './output.ts';

/** Formats a plan for people. */
export function planText(plan: ReindexPlan): string {
  const { model, source, dest, alias } = plan;
  const switches = alias === null ? '' : `, then ${alias} is switched`;
  return [
    `plan: rebuild ${source} into ${dest} with ${model.provider}/${model.name}, ${model.dimensions} dimensions${switches}`,
    figuresText(plan),
    graphText(plan) ?? '',
    indexBuildText(plan),
    probeText(plan),
    obstaclesText(plan.obstacles),
    ...plan.warnings.map((warning) => oneLine(`warning: ${warning}`)),
    'nothing was started or changed',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function figuresText(plan: ReindexPlan): string {
  return table(
    planRowsOf(plan),
    [
      { title: 'FORECAST', value: ({ name, isPart }) => (isPart ? `  ${name}` : name) },
      { title: '', value: ({ figure, unit }) => valueText(figure.value, unit), right: true },
      { title: 'BASIS', value: ({ figure }) => figure.basis },
      { title: 'FROM', value: ({ figure }) => figure.from },
    ],
    '',
  );
}

function valueText(value: number | null, unit: PlanRow['unit']): string {
  return value === null ? 'unknown' : FORMATS[unit](value);
}

function probeText({ sample, probe }: ReindexPlan): string {
  const read = `sample: ${count(sample.objects)} objects, ${bytes(sample.bytes)}${sample.isWhole ? ', all there are' : ''}`;
  if (!probe) return `${read}; no call of the model was made`;
  return `${read}; probe: ${probe.calls} calls with ${count(probe.texts)} texts in ${probe.seconds.toFixed(1)} s`;
}

function obstaclesText(obstacles: readonly Obstacle[]): string {
  if (obstacles.length === 0) return 'nothing is in the way';
  const columns = [
    { title: 'IN THE WAY', value: ({ reason }: Obstacle) => reason },
    { title: 'EFFECT', value: ({ effect }: Obstacle) => effect },
    { title: 'DETAIL', value: ({ detail }: Obstacle) => detail },
  ];
  return table(obstacles, columns, '');
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function usd(value: number): string {
  return value > 0 && value < 0.01 ? '< $0.01' : `$${value.toFixed(2)}`;
}

function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${power === 0 ? value : (value / 1_000 ** power).toPrecision(3)} ${units[power]}`;
}

function time(seconds: number): string {
  if (seconds < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 120 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}

const FORMATS: Record<PlanRow['unit'], (value: number) => string> = { count, usd, seconds: time, bytes };
