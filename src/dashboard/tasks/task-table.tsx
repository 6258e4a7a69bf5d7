import { Checkbox, Group, Stack, Table, Text } from '@mantine/core';
import type { TaskRow } from '../../client/client.ts';
import { useStale } from '../api/connection.ts';
import { duration, rate } from '../ui/format.ts';
import { TaskLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { ProgressBar } from '../ui/progress.tsx';
import { Sentence } from '../ui/sentence.tsx';
import { Status, shownStatus } from '../ui/status.tsx';

interface TaskTableProps {
  tasks: readonly TaskRow[];
  /** Whether the rows are current. */
  connected: boolean;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
}

/** One row per task. On a phone, the other columns are shown below its name. */
export function TaskTable({ tasks, connected, selected, onSelect }: TaskTableProps) {
  const lost = useStale();
  const all = tasks.every(({ id }) => selected.has(id));
  const some = tasks.some(({ id }) => selected.has(id));
  const toggle = (ids: readonly string[], on: boolean) => {
    const next = new Set(selected);
    for (const id of ids) on ? next.add(id) : next.delete(id);
    onSelect(next);
  };
  const ids = tasks.map(({ id }) => id);
  return (
    <Table highlightOnHover layout="fixed" aria-label="Tasks">
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
          <Table.Th w={120} visibleFrom="sm">
            Status
          </Table.Th>
          <Table.Th w={190} visibleFrom="sm">
            Progress
          </Table.Th>
          <Table.Th w={90} ta="right" visibleFrom="lg">
            Rate
          </Table.Th>
          <Table.Th w={100} ta="right" visibleFrom="lg">
            Time left
          </Table.Th>
          <Table.Th w={120} ta="right" visibleFrom="md">
            Created
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {tasks.map((task) => (
          <TaskTableRow
            key={task.id}
            task={task}
            connected={connected && !lost}
            checked={selected.has(task.id)}
            onCheck={toggle}
          />
        ))}
      </Table.Tbody>
    </Table>
  );
}

interface RowProps {
  task: TaskRow;
  connected: boolean;
  checked: boolean;
  onCheck: (ids: readonly string[], on: boolean) => void;
}

function TaskTableRow({ task, connected, checked, onCheck }: RowProps) {
  const { id, type, status, detail = '', progress, createTime, updateTime, ended } = task;
  const running = connected && status === 'processing' && progress;
  const bar = progress && <ProgressBar progress={progress} label={`Progress of ${id}`} quiet />;
  return (
    <Table.Tr data-task={id}>
      <Table.Td style={{ verticalAlign: 'top' }}>
        <Checkbox
          aria-label={`Select ${id}`}
          checked={checked}
          onChange={(event) => onCheck([id], event.currentTarget.checked)}
        />
      </Table.Td>
      <Table.Td>
        <TaskLink id={id} />
        <Text fz="xs" c="dimmed" className="excerpt" title={detail}>
          {type}
          {detail !== '' && (
            <>
              {' · '}
              <Sentence text={detail} at={updateTime ?? createTime ?? ''} />
            </>
          )}
        </Text>
        <Stack gap={4} mt={4} hiddenFrom="sm">
          <Group gap="xs" fz="xs" justify="space-between">
            <Status status={shownStatus(status, ended)} still={!connected} progress={progress} />
            {createTime && <Moment at={createTime} />}
          </Group>
          {bar}
        </Stack>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Status status={shownStatus(status, ended)} still={!connected} progress={progress} />
      </Table.Td>
      <Table.Td visibleFrom="sm">{bar}</Table.Td>
      <Table.Td ta="right" visibleFrom="lg" className="nowrap">
        {running && running.perSecond > 0 ? rate(running.perSecond) : ''}
      </Table.Td>
      <Table.Td ta="right" visibleFrom="lg" className="nowrap">
        {running && running.etaSeconds !== null && running.done < running.total ? duration(running.etaSeconds) : ''}
      </Table.Td>
      <Table.Td ta="right" visibleFrom="md">
        {createTime && <Moment at={createTime} />}
      </Table.Td>
    </Table.Tr>
  );
}
