import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { TASK_STATUSES } from '../../contract/status.ts';
import { countsQuery } from '../api/queries.ts';
import { StartReindex } from '../indexes/start-reindex.tsx';
import { NoTasks } from '../tasks/no-tasks.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { PageLink } from '../ui/links.tsx';
import { Loading, Problem } from '../ui/states.tsx';
import { StatusDot } from '../ui/status.tsx';
import { Findings } from './doctor.tsx';
import { Failures } from './failures.tsx';
import { HealthCard } from './health-card.tsx';
import { Incomplete } from './incomplete.tsx';
import { NeedsYou } from './needs-you.tsx';
import { Running } from './running.tsx';

/** The first page: what needs a person, what runs now, what has failed, and whether everything is well. */
export function OverviewPage() {
  return (
    <>
      <PageHead title="Overview" actions={<StartReindex />} />
      <Stack gap="md">
        <NeedsYou />
        <Now />
        <Running />
        <Failures />
        <Incomplete />
        <Findings />
        <HealthCard />
      </Stack>
    </>
  );
}

/** How many tasks are open, by status. */
function Now() {
  const { data, error } = useQuery(countsQuery({ open: true }));
  const all = useQuery(countsQuery({}));
  if (error && !data) return <Problem error={error} title="The tasks cannot be counted" />;
  if (!data || !all.data) return <Loading rows={2} />;
  if (all.data.total === 0) {
    return (
      <Card>
        <NoTasks />
      </Card>
    );
  }
  const shown = TASK_STATUSES.filter((status) => data.byStatus[status] > 0).map((status) => ({
    status: status === 'failed' ? ('retrying' as const) : status,
    count: data.byStatus[status],
  }));
  return (
    <Card title="Now">
      {shown.length === 0 ? (
        <Text fz="sm" c="dimmed">
          Nothing runs.
        </Text>
      ) : (
        <Group gap="lg" fz="sm">
          {shown.map(({ status, count }) => (
            <Group key={status} gap={7} wrap="nowrap">
              <StatusDot status={status} />
              <PageLink to="/tasks" search={{ status }} fz="inherit">
                {number(count)} {status}
              </PageLink>
            </Group>
          ))}
        </Group>
      )}
    </Card>
  );
}
