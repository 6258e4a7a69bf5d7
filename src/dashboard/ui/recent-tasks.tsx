import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { TaskFilter, TaskRow } from '../../client/client.ts';
import { reembed } from '../api/client.ts';
import { Card } from './card.tsx';
import { number } from './format.ts';
import { PageLink } from './links.tsx';
import { Moment } from './moment.tsx';
import { Loading, Problem } from './states.tsx';
import { Status, shownStatus } from './status.tsx';
import { TaskLine } from './task-line.tsx';

interface RecentTasksProps {
  title: string;
  filter: Pick<TaskFilter, 'type' | 'index'>;
  /** Names besides the `index` of the filter under which tasks may have been started: its aliases. */
  alsoOf?: readonly string[];
  /** Max. rows. */
  shown?: number;
}

/** Aliases that are looked at: each costs a call. */
const MAX_ALIASES = 4;

/** Returns the newest tasks of an index that were started under any of its names. */
async function newest(filter: RecentTasksProps['filter'], alsoOf: readonly string[], limit: number) {
  const names = [filter.index, ...alsoOf.slice(0, MAX_ALIASES)];
  const pages = await Promise.all(names.map((index) => reembed.tasks.page({ ...filter, index, limit })));
  const all = new Map(pages.flatMap(({ tasks }) => tasks).map((task) => [task.id, task]));
  const tasks = [...all.values()].sort((a, b) => (b.createTime ?? '').localeCompare(a.createTime ?? ''));
  return {
    tasks: tasks.slice(0, limit),
    total: pages[0]?.total ?? 0,
    isMore: tasks.length > limit || pages.some(({ cursor }) => cursor !== null),
  };
}

/** The newest tasks that match a filter, with a link to all of them. */
export function RecentTasks({ title, filter, alsoOf = [], shown = 10 }: RecentTasksProps) {
  const { data, error } = useQuery({
    queryKey: ['recent', filter, alsoOf, shown],
    queryFn: () => newest(filter, alsoOf, shown),
    refetchInterval: 3_000,
  });
  return (
    <Card
      flush
      title={title}
      actions={
        data?.isMore && (
          <PageLink to="/tasks" search={{ ...filter, index: alsoOf[0] ?? filter.index }} fz="sm">
            {alsoOf.length === 0 ? `All ${number(data.total)}` : 'All'}
          </PageLink>
        )
      }
    >
      {error && !data && <Problem error={error} title="The tasks cannot be listed" />}
      {!data && !error && <Loading rows={3} />}
      {data?.tasks.length === 0 && (
        <Text fz="sm" c="dimmed" px="md" pb="md">
          None yet.
        </Text>
      )}
      {data && data.tasks.length > 0 && (
        <Table layout="fixed" aria-label={title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Task</Table.Th>
              <Table.Th w={120}>Status</Table.Th>
              <Table.Th w={120} ta="right" visibleFrom="sm">
                Created
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.tasks.map((task) => (
              <RecentTask key={task.id} task={task} />
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}

function RecentTask({ task }: { task: TaskRow }) {
  const { id, status, ended, progress, createTime = '' } = task;
  return (
    <Table.Tr data-task={id}>
      <Table.Td>
        <TaskLine task={task} />
      </Table.Td>
      <Table.Td>
        <Status status={shownStatus(status, ended)} progress={progress} />
      </Table.Td>
      <Table.Td ta="right" visibleFrom="sm">
        <Moment at={createTime} />
      </Table.Td>
    </Table.Tr>
  );
}
