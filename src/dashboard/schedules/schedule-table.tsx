import { Group, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schedule } from '../../client/client.ts';
import { reembed } from '../api/client.ts';
import { number } from '../ui/format.ts';
import { PageLink } from '../ui/links.tsx';
import { ExactMoment, Moment } from '../ui/moment.tsx';
import { isOpen, Status } from '../ui/status.tsx';
import { ScheduleActions } from './schedule-actions.tsx';

const SHOWN_TIMES = 5;
/** The note of a pause without a reason. */
const PLAIN_NOTE = 'paused';

/** One row per schedule; on a phone, the other columns are shown below its name. */
export function ScheduleTable({ schedules }: { schedules: readonly Schedule[] }) {
  return (
    <Table layout="fixed" aria-label="Schedules">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Schedule</Table.Th>
          <Table.Th w={120} visibleFrom="md">
            Every
          </Table.Th>
          <Table.Th w={150} visibleFrom="sm">
            Next
          </Table.Th>
          <Table.Th w={130} visibleFrom="md">
            Last run
          </Table.Th>
          <Table.Th w={120} visibleFrom="xl">
            Runs
          </Table.Th>
          <Table.Th w={372} ta="right" visibleFrom="lg">
            Actions
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
  const { name, key, timeZone, counts } = schedule;
  const every = schedule.every ?? 'see Temporal';
  return (
    <Table.Tr data-schedule={`${name}/${key}`}>
      <Table.Td>
        <span className="id">{name}</span>
        <Text fz="xs" c="dimmed" className="wrap">
          {key}
        </Text>
        <Stack gap={4} mt={4} hiddenFrom="md" fz="xs">
          <span className="wrap">every: {every}</span>
          <Group gap={4}>
            last run: <LastRun schedule={schedule} />
          </Group>
        </Stack>
        <Stack gap={4} mt={4} hiddenFrom="sm" fz="xs">
          <Group gap={4} align="flex-start">
            next: <Next schedule={schedule} />
          </Group>
        </Stack>
        <Stack gap={4} mt={6} hiddenFrom="lg" align="flex-start">
          <ScheduleActions schedule={schedule} />
        </Stack>
      </Table.Td>
      <Table.Td visibleFrom="md" className="wrap">
        {every}
        {timeZone && (
          <Text fz="xs" c="dimmed">
            {timeZone}
          </Text>
        )}
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Next schedule={schedule} />
      </Table.Td>
      <Table.Td visibleFrom="md">
        <LastRun schedule={schedule} />
      </Table.Td>
      <Table.Td visibleFrom="xl">
        {number(counts.started)}
        {counts.skipped + counts.missed > 0 && (
          <Text fz="xs" c="dimmed">
            {number(counts.skipped)} skipped, {number(counts.missed)} missed
          </Text>
        )}
      </Table.Td>
      <Table.Td visibleFrom="lg">
        <ScheduleActions schedule={schedule} />
      </Table.Td>
    </Table.Tr>
  );
}

/** When it runs next, with the times after that; or why it is paused. */
function Next({ schedule: { paused, note, nextTimes } }: { schedule: Schedule }) {
  if (paused) {
    return (
      <div>
        paused
        {note !== '' && note !== PLAIN_NOTE && (
          <Text fz="xs" c="dimmed" className="wrap">
            {note}
          </Text>
        )}
      </div>
    );
  }
  const [first, ...later] = nextTimes.slice(0, SHOWN_TIMES);
  if (first === undefined) return null;
  return (
    <div>
      <Moment at={first} />
      {later.length > 0 && (
        <details className="times">
          <summary>next {later.length + 1}</summary>
          <ol>
            {[first, ...later].map((time) => (
              <li key={time}>
                <ExactMoment at={time} />
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}

/** How the last run ended, or how it goes. */
function LastRun({ schedule: { recent } }: { schedule: Schedule }) {
  const [last] = recent;
  if (!last) {
    return (
      <Text fz="xs" c="dimmed">
        none yet
      </Text>
    );
  }
  return <Run taskId={last.taskId} startTime={last.startTime} />;
}

function Run({ taskId, startTime }: { taskId: string; startTime: string }) {
  const { data } = useQuery({
    queryKey: ['run', taskId],
    queryFn: () => reembed.tasks.info(taskId),
    refetchInterval: ({ state }) => (state.data && !isOpen(state.data.status) ? 60_000 : 5_000),
    retry: false,
  });
  return (
    <PageLink to="/tasks/$taskId" params={{ taskId }} fz="inherit" title={taskId}>
      {data && (
        <>
          <Status status={data.status} progress={data.progress} />
          <br />
        </>
      )}
      <Moment at={startTime} />
    </PageLink>
  );
}
