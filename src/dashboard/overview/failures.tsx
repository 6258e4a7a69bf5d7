import { Group, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { TaskRow } from '../../client/client.ts';
import { BulkDialog } from '../tasks/bulk-dialog.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { number, plural } from '../ui/format.ts';
import { LinkButton } from '../ui/links.tsx';
import { Loading, Problem } from '../ui/states.tsx';
import { TaskName } from '../ui/task-name.tsx';
import { FAILED_WITHIN_DAYS, type FailureGroup, failedQuery, groupsOf } from './queries.ts';

/** Tasks that have failed for good, grouped by their error, with one action for each group. */
export function Failures() {
  const { data, error } = useQuery(failedQuery);
  const [restarted, setRestarted] = useState<FailureGroup | null>(null);
  if (error && !data) return <Problem error={error} title="The failed tasks cannot be listed" />;
  if (!data) return <Loading rows={2} />;
  return (
    <>
      {data.tasks.length > 0 && <Groups tasks={data.tasks} total={data.total} onRestart={setRestarted} />}
      {/* Shows the outcomes also when no failure is left. */}
      {restarted && (
        <BulkDialog
          action="restart"
          label="Restart"
          force
          filter={{ taskIds: restarted.tasks.map(({ id }) => id) }}
          onClose={() => setRestarted(null)}
        />
      )}
    </>
  );
}

interface GroupsProps {
  tasks: readonly TaskRow[];
  /** Of all failed tasks, also those that are not listed. */
  total: number;
  onRestart: (group: FailureGroup) => void;
}

function Groups({ tasks, total, onRestart }: GroupsProps) {
  const hidden = total - tasks.length;
  return (
    <Card flush title={`Failed in the last ${FAILED_WITHIN_DAYS} days: ${number(total)}`}>
      <Table layout="fixed" aria-label="Failures by error">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={90} ta="right">
              Tasks
            </Table.Th>
            <Table.Th>Error</Table.Th>
            <Table.Th w={170} ta="right" visibleFrom="sm">
              Action
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {groupsOf(tasks).map((group) => (
            <GroupRow key={group.type} group={group} onRestart={() => onRestart(group)} />
          ))}
        </Table.Tbody>
      </Table>
      {hidden > 0 && (
        <Text fz="xs" c="dimmed" px="md" py="xs">
          {plural(hidden, 'older task')} not shown.
        </Text>
      )}
    </Card>
  );
}

function GroupRow({ group: { type, message, tasks }, onRestart }: { group: FailureGroup; onRestart: () => void }) {
  const [first] = tasks;
  const actions = (
    <Group gap={4} justify="flex-end">
      {tasks.length === 1 && first ? (
        <LinkButton variant="default" to="/tasks/$taskId" params={{ taskId: first.id }}>
          Open
        </LinkButton>
      ) : (
        <ActionButton onClick={onRestart} aria-label={`Restart all with ${type}`}>
          Restart all…
        </ActionButton>
      )}
    </Group>
  );
  return (
    <Table.Tr data-error={type}>
      <Table.Td ta="right">{number(tasks.length)}</Table.Td>
      <Table.Td className="wrap">
        <Text fz="sm" fw={500} c="var(--mantine-color-error)">
          {type}
        </Text>
        <Text fz="xs" className="excerpt">
          {message}
        </Text>
        <Text fz="xs" c="dimmed" component="div">
          {[...new Set(tasks.map((task) => task.type))].join(', ')}, newest: {first && <TaskName task={first} />}
        </Text>
        <Group hiddenFrom="sm" mt={4}>
          {actions}
        </Group>
      </Table.Td>
      <Table.Td visibleFrom="sm">{actions}</Table.Td>
    </Table.Tr>
  );
}
