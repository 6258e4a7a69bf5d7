import { AreaChart, BarChart } from '@mantine/charts';
import { VisuallyHidden } from '@mantine/core';
import type { Bucket } from '../../client/client.ts';
import { number } from '../ui/format.ts';

interface ChartProps {
  buckets: readonly Bucket[];
  minutes: number;
}

const ENDS = [
  { name: 'done', color: 'teal.7' },
  { name: 'failed', color: 'red.7' },
  { name: 'canceled', color: 'gray.6' },
];

const AXES = { tickLine: 'none', gridAxis: 'x', yAxisProps: { allowDecimals: false, width: 44 } } as const;

function rows(buckets: readonly Bucket[], minutes: number) {
  const format = new Intl.DateTimeFormat(undefined, {
    ...(minutes > 1_440 && { weekday: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
  });
  return buckets.map((bucket) => ({ ...bucket, time: format.format(new Date(bucket.from)) }));
}

export function EndedChart({ buckets, minutes }: ChartProps) {
  return (
    <figure style={{ margin: 0 }}>
      <div aria-hidden>
        <BarChart
          h={220}
          data={rows(buckets, minutes)}
          dataKey="time"
          type="stacked"
          series={ENDS}
          withLegend
          valueFormatter={number}
          barProps={{ isAnimationActive: false }}
          barChartProps={{ accessibilityLayer: false }}
          {...AXES}
        />
      </div>
      <Numbers caption="Ended tasks over time" columns={['done', 'failed', 'canceled']} buckets={buckets} />
    </figure>
  );
}

export function OpenChart({ buckets, minutes }: ChartProps) {
  return (
    <figure style={{ margin: 0 }}>
      <div aria-hidden>
        <AreaChart
          h={180}
          data={rows(buckets, minutes)}
          dataKey="time"
          curveType="stepAfter"
          withDots={false}
          series={[
            { name: 'open', color: 'indigo.7' },
            { name: 'created', color: 'yellow.7' },
          ]}
          withLegend
          valueFormatter={number}
          areaProps={{ isAnimationActive: false }}
          areaChartProps={{ accessibilityLayer: false }}
          {...AXES}
        />
      </div>
      <Numbers caption="Open and created tasks over time" columns={['open', 'created']} buckets={buckets} />
    </figure>
  );
}

interface NumbersProps {
  caption: string;
  columns: readonly ('done' | 'failed' | 'canceled' | 'open' | 'created')[];
  buckets: readonly Bucket[];
}

/** The chart's data as a table, for screen readers. */
function Numbers({ caption, columns, buckets }: NumbersProps) {
  return (
    <VisuallyHidden>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">from</th>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {buckets.map((bucket) => (
            <tr key={bucket.from}>
              <th scope="row">{bucket.from}</th>
              {columns.map((column) => (
                <td key={column}>{bucket[column]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </VisuallyHidden>
  );
}
