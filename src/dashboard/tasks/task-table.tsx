import { Checkbox, Table } from '@mantine/core';
import type { TaskRow } from '../../client/client.ts';
import { useStale } from '../api/connection.ts';
import { TaskTableRow } from './task-row.tsx';

interface TaskTableProps {
  /** Shown above the others: they run or stand still. */
  pinned: readonly TaskRow[];
  tasks: readonly TaskRow[];
  /** Whether the rows are current. */
  connected: boolean;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
}

/** One row per task. On a phone, the other columns are shown below its name. */
export function TaskTable({ pinned, tasks, connected, selected, onSelect }: TaskTableProps) {
  const lost = useStale();
  const rows = [...pinned, ...tasks];
  const all = rows.every(({ id }) => selected.has(id));
  const some = rows.some(({ id }) => selected.has(id));
  const toggle = (ids: readonly string[], on: boolean) => {
    const next = new Set(selected);
    for (const id of ids) on ? next.add(id) : next.delete(id);
    onSelect(next);
  };
  const ids = rows.map(({ id }) => id);
  const rowOf = (task: TaskRow) => (
    <TaskTableRow
      key={task.id}
      task={task}
      connected={connected && !lost}
      checked={selected.has(task.id)}
      onCheck={toggle}
    />
  );
  return (
    <Table highlightOnHover layout="fixed" aria-label="Tasks" verticalSpacing={5}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th w={40}>
            <Checkbox
              aria-label="Select all on this page"
              checked={all}
              indeterminate={some && !all}
              onChange={(event) => toggle(ids, event.currentTarget.checked)}
            />
          </Table.Th>
          <Table.Th>Task</Table.Th>
          <Table.Th w={150} visibleFrom="lg">
            Index
          </Table.Th>
          <Table.Th w={120} visibleFrom="sm">
            Status
          </Table.Th>
          <Table.Th w={160} visibleFrom="md">
            Progress
          </Table.Th>
          <Table.Th w={90} ta="right" visibleFrom="lg">
            Took
          </Table.Th>
          <Table.Th w={120} ta="right" visibleFrom="md">
            Created
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      {pinned.length > 0 && <Table.Tbody aria-label="Not ended">{pinned.map(rowOf)}</Table.Tbody>}
      <Table.Tbody className={pinned.length > 0 ? 'after-pinned' : undefined}>{tasks.map(rowOf)}</Table.Tbody>
    </Table>
  );
}
