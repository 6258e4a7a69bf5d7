import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Tracker } from '../../contract/tasks.ts';
import { schedulesQuery } from '../api/queries.ts';
import { Card } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { PageLink, TaskLink } from '../ui/links.tsx';
import { Viewer } from '../ui/viewer.tsx';

/** What a job is, and what it has returned. */
export function JobResult({ tracker: { id, status, data } }: { tracker: Tracker }) {
  const { name, queue, workerId, duplicateOf, result } = data;
  const facts: Fact[] = [
    [
      'Job',
      <span key="j" className="id">
        {String(name ?? 'unknown')}
      </span>,
    ],
  ];
  if (typeof queue === 'string') facts.push(['Queue', queue]);
  if (typeof workerId === 'string') facts.push(['Worker', workerId]);
  if (typeof duplicateOf === 'string') facts.push(['Duplicate of', <TaskLink key="d" id={duplicateOf} />]);
  const schedule = useScheduleOf(id, name);
  if (schedule !== undefined) {
    facts.push([
      'Schedule',
      <PageLink key="s" to="/schedules" fz="inherit">
        {schedule}
      </PageLink>,
    ]);
  }
  return (
    <>
      <Card title="Job">
        <FactList facts={facts} />
      </Card>
      {status === 'done' && (
        <Card title="Result">
          {result === undefined || result === null ? (
            <Text fz="sm" c="dimmed">
              It returned nothing.
            </Text>
          ) : (
            <Viewer value={result} what="the result" />
          )}
        </Card>
      )}
    </>
  );
}

/** Returns the key of the schedule that started a job, if it is one of its last runs. */
function useScheduleOf(taskId: string, name: unknown): string | undefined {
  const { data } = useQuery({ ...schedulesQuery, refetchInterval: false });
  const own = data?.schedules.find(
    (one) => one.name === name && (one.recent.some((run) => run.taskId === taskId) || one.running.includes(taskId)),
  );
  return own && `${own.key}, ${own.every ?? 'see Temporal'}`;
}
