import { Box, Checkbox, Group, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { TaskRow } from '../../client/client.ts';
import { namesOf } from '../../contract/task-title.ts';
import { indexesQuery } from '../api/queries.ts';
import { duration, rate } from '../ui/format.ts';
import { IndexLink, PageLink } from '../ui/links.tsx';
import { Moment, useNow } from '../ui/moment.tsx';
import { ProgressBar } from '../ui/progress.tsx';
import { Status, shownStatus } from '../ui/status.tsx';
import { TaskLine } from '../ui/task-line.tsx';

interface RowProps {
  task: TaskRow;
  /** Whether the row is current. */
  connected: boolean;
  checked: boolean;
  onCheck: (ids: readonly string[], on: boolean) => void;
}

/** One task of the list. */
export function TaskTableRow({ task, connected, checked, onCheck }: RowProps) {
  const { id, type, status, progress, createTime, ended } = task;
  const shown = <Status status={shownStatus(status, ended)} still={!connected} progress={progress} />;
  const bar = <Done task={task} isRunning={connected && status === 'processing'} />;
  return (
    <Table.Tr data-task={id}>
      <Table.Td className="check">
        <Checkbox
          aria-label={`Select ${id}`}
          checked={checked}
          onChange={(event) => onCheck([id], event.currentTarget.checked)}
        />
      </Table.Td>
      <Table.Td>
        <TaskLine task={task}>{type === 'reindex' && <NewModel task={task} />}</TaskLine>
        <Stack gap={4} mt={4} hiddenFrom="sm">
          <Group gap="xs" fz="xs" justify="space-between">
            {shown}
            {createTime && <Moment at={createTime} />}
          </Group>
        </Stack>
        <Box hiddenFrom="md">{bar}</Box>
      </Table.Td>
      <Table.Td visibleFrom="lg">
        <Concerned task={task} />
      </Table.Td>
      <Table.Td visibleFrom="sm">{shown}</Table.Td>
      <Table.Td visibleFrom="md">{bar}</Table.Td>
      <Table.Td ta="right" visibleFrom="lg" className="nowrap">
        <Took task={task} />
      </Table.Td>
      <Table.Td ta="right" visibleFrom="md">
        {createTime && <Moment at={createTime} />}
      </Table.Td>
    </Table.Tr>
  );
}

/** The indexes that a task concerns, or the source of a sync. */
function Concerned({ task }: { task: TaskRow }) {
  const names = [...new Set(namesOf(task))];
  return names.map((name) => (
    <div key={name} className="excerpt one-line" title={name}>
      {task.type === 'sync' && task.data?.index === undefined ? (
        <PageLink to="/sources/$source" params={{ source: name }} className="id" fz="inherit">
          {name}
        </PageLink>
      ) : (
        <IndexLink name={name} />
      )}
    </div>
  ));
}

/** The model of the index that a reindex builds, as long as the index exists. */
function NewModel({ task }: { task: TaskRow }) {
  const [, dest] = namesOf(task);
  const { data } = useQuery(indexesQuery);
  const model = data?.find(({ name }) => name === dest)?.model;
  if (!model) return null;
  return (
    <Text component="span" fz="xs" c="dimmed" className="wrap">
      ({model.provider}/{model.name})
    </Text>
  );
}

function Done({ task: { id, progress }, isRunning }: { task: TaskRow; isRunning: boolean }) {
  if (!progress || (progress.total <= 1 && progress.failed === 0)) return null;
  const { perSecond, etaSeconds, done, total } = progress;
  const pace = [
    perSecond > 0 ? rate(perSecond) : '',
    etaSeconds !== null && done < total ? `${duration(etaSeconds)} left` : '',
  ].filter((part) => part !== '');
  return (
    <>
      <ProgressBar progress={progress} label={`Progress of ${id}`} quiet />
      {isRunning && pace.length > 0 && (
        <Text fz="xs" c="dimmed" mt={2}>
          {pace.join(' · ')}
        </Text>
      )}
    </>
  );
}

/** How long a task took, with its waits; or has taken so far, while it runs. */
function Took({ task: { createTime, endTime, status } }: { task: TaskRow }) {
  const now = useNow();
  if (createTime === undefined || (endTime === undefined && status !== 'processing')) return null;
  const end = endTime === undefined ? now.getTime() : Date.parse(endTime);
  const ms = Math.max(0, end - Date.parse(createTime));
  return <span>{ms < 1_000 ? `${Math.round(ms)} ms` : duration(ms / 1_000)}</span>;
}
