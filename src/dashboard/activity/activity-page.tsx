import '@mantine/charts/styles.css';
import { NativeSelect, Paper, SegmentedControl, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { TASK_TYPES } from '../../contract/task-types.ts';
import { statsQuery } from '../api/queries.ts';
import { oneOf } from '../search-params.ts';
import type { Within } from '../tasks/within.ts';
import { Card, PageHead } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { PageLink } from '../ui/links.tsx';
import { Loading, Problem } from '../ui/states.tsx';
import { EndedChart, OpenChart } from './charts.tsx';
import { Throughput } from './throughput.tsx';

const route = getRouteApi('/activity');

const RANGES = [
  { value: '15', label: '15 min', within: '1h' },
  { value: '60', label: '1 h', within: '1h' },
  { value: '360', label: '6 h', within: '24h' },
  { value: '1440', label: '24 h', within: '24h' },
  { value: '10080', label: '7 d', within: '7d' },
] as const;

/** Shows the backlog, ended tasks and failures over time. */
export function ActivityPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/activity' });
  const minutes = RANGES.find(({ value }) => value === search.minutes)?.value ?? '60';
  const type = oneOf(TASK_TYPES, search.type);
  const set = (change: typeof search) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const { data, error, refetch } = useQuery(statsQuery(Number(minutes), { type }));
  const within = RANGES.find(({ value }) => value === minutes)?.within ?? '7d';
  const tasks = (status?: string) => ({ ...(status !== undefined && { status }), type, within });
  const sum = (of: 'created' | 'done' | 'failed' | 'canceled') =>
    number((data?.buckets ?? []).reduce((total, bucket) => total + bucket[of], 0));
  return (
    <>
      <PageHead
        title="Activity"
        actions={
          <>
            <NativeSelect
              size="xs"
              aria-label="Type"
              data={[{ value: '', label: 'All types' }, ...TASK_TYPES]}
              value={type ?? ''}
              onChange={(event) => set({ type: event.currentTarget.value || undefined })}
            />
            <SegmentedControl
              size="xs"
              aria-label="Time range"
              data={RANGES.map(({ value, label }) => ({ value, label }))}
              value={minutes}
              onChange={(value) => set({ minutes: value })}
            />
          </>
        }
      />
      {!data && (error ? <Problem error={error} retry={() => void refetch()} /> : <Loading rows={10} />)}
      {data && (
        <Stack gap="md">
          <SimpleGrid component="dl" cols={{ base: 2, sm: 5 }} m={0} spacing="md">
            <Figure name="created" value={sum('created')} tasks={tasks()} />
            <Figure name="done" value={sum('done')} tasks={tasks('done')} />
            <Figure name="failed" value={sum('failed')} tasks={tasks('failed')} />
            <Figure name="canceled" value={sum('canceled')} tasks={tasks('canceled')} />
            <Figure name="open now" value={number(data.buckets.at(-1)?.open ?? 0)} />
          </SimpleGrid>
          <Card title="Tasks that ended">
            <EndedChart buckets={data.buckets} minutes={Number(minutes)} />
          </Card>
          <Card title="Backlog: tasks that were open">
            <OpenChart buckets={data.buckets} minutes={Number(minutes)} />
          </Card>
          <Throughput />
        </Stack>
      )}
    </>
  );
}

interface FigureProps {
  name: string;
  value: string;
  /** The list of these tasks, or of those of a longer time: lists know fewer ranges. */
  tasks?: { status?: string; type?: string | undefined; within: Within };
}

function Figure({ name, value, tasks }: FigureProps) {
  return (
    <Paper withBorder p="md">
      <Text component="dt" fz="xs" c="dimmed">
        {name}
      </Text>
      <Text component="dd" m={0} fz={22} fw={600}>
        {tasks ? (
          <PageLink to="/tasks" search={tasks} c="inherit" fz="inherit" aria-label={`${value} ${name}: show the tasks`}>
            {value}
          </PageLink>
        ) : (
          value
        )}
      </Text>
    </Paper>
  );
}
