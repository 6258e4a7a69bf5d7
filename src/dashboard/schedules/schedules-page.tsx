import { Code, Group, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schedule } from '../../client/client.ts';
import { reembed } from '../api/client.ts';
import { schedulesQuery } from '../api/queries.ts';
import { useAct } from '../ui/act.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { TaskLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { NewSchedule } from './new-schedule.tsx';
import { RemoveSchedule } from './remove-schedule.tsx';

/** The page of all schedules. */
export function SchedulesPage() {
  const { data, error, refetch } = useQuery(schedulesQuery);
  const [creating, setCreating] = useState(false);
  return (
    <>
      <PageHead
        title="Schedules"
        actions={
          <ActionButton needs="admin" onClick={() => setCreating(true)}>
            New schedule…
          </ActionButton>
        }
      />
      <Card flush>
        {error && !data && (
          <Problem error={error} retry={() => void refetch()} title="The schedules cannot be listed" />
        )}
        {!data && !error && <Loading />}
        {data?.schedules.length === 0 && (
          <Empty title="No schedules yet">
            A schedule runs one of your jobs regularly: create one here, or with{' '}
            <Code>{"task.every('1m', input)"}</Code> in the code that defines the job.
          </Empty>
        )}
        {data && data.schedules.length > 0 && <ScheduleTable schedules={data.schedules} />}
      </Card>
      {creating && <NewSchedule onClose={() => setCreating(false)} />}
    </>
  );
}

function ScheduleTable({ schedules }: { schedules: readonly Schedule[] }) {
  return (
    <Table layout="fixed" aria-label="Schedules">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Job</Table.Th>
          <Table.Th w={150} visibleFrom="sm">
            Every
          </Table.Th>
          <Table.Th w={120} visibleFrom="sm">
            Next
          </Table.Th>
          <Table.Th w={190} visibleFrom="md">
            Last run
          </Table.Th>
          <Table.Th w={130} visibleFrom="lg">
            Runs
          </Table.Th>
          <Table.Th w={230} ta="right" visibleFrom="sm">
            Change
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {schedules.map((schedule) => (
          <ScheduleRow key={schedule.id} schedule={schedule} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function ScheduleRow({ schedule }: { schedule: Schedule }) {
  const { name, key, every, timeZone, paused, note, nextTimes, recent, counts } = schedule;
  const last = recent[0];
  const next = paused ? <Text fz="sm">paused</Text> : nextTimes[0] && <Moment at={nextTimes[0]} />;
  return (
    <Table.Tr data-schedule={`${name}/${key}`}>
      <Table.Td>
        <span className="id">{name}</span>
        <Text fz="xs" c="dimmed" className="wrap">
          {key}
          {note ? ` · ${note}` : ''}
        </Text>
        <Stack gap={4} mt={4} hiddenFrom="sm" fz="xs">
          <span>{every}</span>
          <span>{next}</span>
          <Actions schedule={schedule} />
        </Stack>
      </Table.Td>
      <Table.Td visibleFrom="sm" className="wrap">
        {every ?? 'see Temporal'}
        {timeZone && (
          <Text fz="xs" c="dimmed">
            {timeZone}
          </Text>
        )}
      </Table.Td>
      <Table.Td visibleFrom="sm">{next}</Table.Td>
      <Table.Td visibleFrom="md">
        {last && (
          <>
            <Moment at={last.startTime} />
            <div>
              <TaskLink id={last.taskId} />
            </div>
          </>
        )}
      </Table.Td>
      <Table.Td visibleFrom="lg">
        {number(counts.started)}
        <Text fz="xs" c="dimmed">
          {number(counts.skipped)} skipped, {number(counts.missed)} missed
        </Text>
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Actions schedule={schedule} />
      </Table.Td>
    </Table.Tr>
  );
}

function Actions({ schedule: { name, key, paused } }: { schedule: Schedule }) {
  const changes = [['schedules']];
  const [removing, setRemoving] = useState(false);
  const run = useAct(() => reembed.schedules.run(name, key), {
    done: ({ outcome, taskId }) => (taskId ? `Started ${taskId}` : `Not started: ${outcome}`),
    changes,
  });
  const hold = useAct(() => (paused ? reembed.schedules.resume(name, key) : reembed.schedules.pause(name, key)), {
    done: () => (paused ? `${name} runs again` : `${name} is paused`),
    changes,
  });
  const of = `${name}, ${key}`;
  return (
    <Group gap={4} justify="flex-end">
      <ActionButton loading={run.isPending} onClick={() => run.mutate()} aria-label={`Run now: ${of}`}>
        Run now
      </ActionButton>
      <ActionButton
        loading={hold.isPending}
        onClick={() => hold.mutate()}
        aria-label={`${paused ? 'Resume' : 'Pause'}: ${of}`}
      >
        {paused ? 'Resume' : 'Pause'}
      </ActionButton>
      <ActionButton needs="admin" onClick={() => setRemoving(true)} aria-label={`Remove: ${of}`}>
        Remove…
      </ActionButton>
      {removing && <RemoveSchedule name={name} scheduleKey={key} onClose={() => setRemoving(false)} />}
    </Group>
  );
}
