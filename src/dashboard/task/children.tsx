import { Group, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { TASK_STATUSES, type TaskStatus } from '../../contract/status.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { Pager } from '../tasks/pager.tsx';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { ProgressBar } from '../ui/progress.tsx';
import { Loading, Problem } from '../ui/states.tsx';
import { isOpen, Status, shownStatus } from '../ui/status.tsx';
import { TaskLine } from '../ui/task-line.tsx';

const PAGE = 20;

/** The children of a task: the slices of a reindex, and the deletion of the index that it retires. */
export function Children({ tracker: { id, children, status } }: { tracker: Tracker }) {
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  const cursor = cursors.at(-1);
  const { data, error } = useQuery({
    queryKey: ['children', id, cursor],
    queryFn: () => reembed.tasks.page({ parentId: id, limit: PAGE, cursor }),
    // The retired index is deleted after the task has ended.
    refetchInterval: isOpen(status) ? 2_000 : 10_000,
    placeholderData: (before) => before,
  });
  const isWhole = data !== undefined && data.tasks.length === data.total;
  // The tracker of the parent learns of a pause of its children late.
  const countOf = (status: TaskStatus) =>
    isWhole ? data.tasks.filter((task) => task.status === status).length : (children[status] ?? 0);
  const counts = TASK_STATUSES.filter((each) => countOf(each) > 0);
  return (
    <Card
      flush
      title="Children"
      actions={
        <Group gap="md" fz="sm">
          {counts.map((each) => (
            <Group key={each} gap={6}>
              <Status status={each} />
              <span>{number(countOf(each))}</span>
            </Group>
          ))}
        </Group>
      }
    >
      {error && <Problem error={error} />}
      {!data && !error && <Loading rows={3} />}
      {data?.tasks.length === 0 && (
        <Text fz="sm" c="dimmed" px="md" pb="md">
          None yet.
        </Text>
      )}
      {data && data.tasks.length > 0 && (
        <>
          <Table layout="fixed" aria-label="Children">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Task</Table.Th>
                <Table.Th w={120}>Status</Table.Th>
                <Table.Th w={180} visibleFrom="sm">
                  Progress
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.tasks.map((child) => (
                <Table.Tr key={child.id}>
                  <Table.Td>
                    <TaskLine task={child} />
                  </Table.Td>
                  <Table.Td>
                    <Status status={shownStatus(child.status, child.ended)} progress={child.progress} />
                  </Table.Td>
                  <Table.Td visibleFrom="sm">
                    {child.progress && (
                      <ProgressBar progress={child.progress} label={`Progress of ${child.id}`} quiet />
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
          {(cursors.length > 1 || data.cursor !== null) && (
            <Pager
              page={cursors.length}
              perPage={PAGE}
              shown={data.tasks.length}
              total={data.total}
              connected
              onNewer={cursors.length > 1 ? () => setCursors(cursors.slice(0, -1)) : undefined}
              onOlder={data.cursor === null ? undefined : () => setCursors([...cursors, data.cursor])}
            />
          )}
        </>
      )}
    </Card>
  );
}
