import '@mantine/charts/styles.css';
import { NativeSelect, Paper, SegmentedControl, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { TASK_TYPES } from '../../contract/task-types.ts';
import { statsQuery } from '../api/queries.ts';
import { oneOf } from '../search-params.ts';
import { Card, PageHead } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { Loading, Problem } from '../ui/states.tsx';
import { EndedChart, OpenChart } from './charts.tsx';
import { Throughput } from './throughput.tsx';

const route = getRouteApi('/activity');

const RANGES = [
  { value: '15', label: '15 min' },
  { value: '60', label: '1 h' },
  { value: '360', label: '6 h' },
  { value: '1440', label: '24 h' },
  { value: '10080', label: '7 d' },
];

/** Shows the backlog, ended tasks and failures over time. */
export function ActivityPage() {
  const search = route.useSearch();
  const navigate = useNavigate({ from: '/activity' });
  const minutes = RANGES.find(({ value }) => value === search.minutes)?.value ?? '60';
  const type = oneOf(TASK_TYPES, search.type);
  const set = (change: typeof search) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const { data, error, refetch } = useQuery(statsQuery(Number(minutes), { type }));
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
              data={RANGES}
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
            <Figure name="created" value={sum('created')} />
            <Figure name="done" value={sum('done')} />
            <Figure name="failed" value={sum('failed')} />
            <Figure name="canceled" value={sum('canceled')} />
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

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <Paper withBorder p="md">
      <Text component="dt" fz="xs" c="dimmed">
        {name}
      </Text>
      <Text component="dd" m={0} fz={22} fw={600}>
        {value}
      </Text>
    </Paper>
  );
}
