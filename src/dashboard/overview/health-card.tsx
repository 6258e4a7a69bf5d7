import { Group, SimpleGrid, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Schedule, TaskRow } from '../../client/client.ts';
import type { QueueHealth, ServerHealth } from '../../contract/health.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import { healthQuery, indexesQuery, schedulesQuery } from '../api/queries.ts';
import { Card } from '../ui/card.tsx';
import { duration, number, plural } from '../ui/format.ts';
import { PageLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { useDoctor } from './doctor.tsx';
import { openQuery } from './queries.ts';

interface PartProps {
  name: string;
  /** Undefined while it is not known. */
  isGood: boolean | undefined;
  children: React.ReactNode;
}

function Part({ name, isGood, children }: PartProps) {
  const color = isGood === undefined ? 'gray-5' : isGood ? 'teal-7' : 'red-7';
  return (
    <div style={{ minWidth: 0 }} data-part={name}>
      <Group gap={7} wrap="nowrap" component="dt">
        <span
          aria-hidden
          style={{ width: 8, height: 8, borderRadius: 8, background: `var(--mantine-color-${color})`, flex: 'none' }}
        />
        <Text fz="xs" c="dimmed" component="span">
          {name}
        </Text>
      </Group>
      <Text fz="sm" component="dd" m={0} className="wrap">
        {children}
      </Text>
    </div>
  );
}

/** Whether the servers, workers, models and schedules are well, and what waits for workers. */
export function HealthCard() {
  const { data: health } = useQuery(healthQuery);
  const { data: indexes } = useQuery(indexesQuery);
  const { data: open } = useQuery(openQuery);
  const { data: schedules } = useQuery(schedulesQuery);
  return (
    <Card title="Health">
      <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 3 }} spacing="md" m={0}>
        <Server name="Postgres" answers={health?.database.answers} />
        <Server name="Temporal" answers={health?.temporal.answers} />
        <Workers health={health} />
        <Backlog queues={health?.queues ?? undefined} />
        <Models indexes={indexes} open={open?.tasks ?? []} />
        <Schedules schedules={schedules?.schedules} />
        <Checks />
      </SimpleGrid>
    </Card>
  );
}

/** Whether the doctor has found something. */
function Checks() {
  const doctor = useDoctor();
  const found = doctor?.findings.length ?? 0;
  return (
    <Part name="Checks" isGood={doctor && found === 0}>
      {!doctor ? 'unknown' : found === 0 ? `${doctor.checks}, nothing found` : plural(found, 'finding')}
    </Part>
  );
}

function Server({ name, answers }: { name: string; answers: boolean | undefined }) {
  return (
    <Part name={name} isGood={answers}>
      {answers === undefined ? 'unknown' : answers ? 'answers' : 'does not answer'}
    </Part>
  );
}

function Workers({ health }: { health: ServerHealth | undefined }) {
  const queues = health?.queues?.filter(({ queue }) => !queue.startsWith('jobs-'));
  if (!queues) {
    return (
      <Part name="Workers" isGood={undefined}>
        unknown
      </Part>
    );
  }
  const least = Math.min(...queues.map(({ workers }) => workers));
  const all = Math.max(...queues.map(({ workers }) => workers));
  return (
    <Part name="Workers" isGood={least > 0}>
      {all === 0 ? 'none answers' : least === 0 ? 'none for some tasks' : plural(all, 'worker')}
    </Part>
  );
}

/** Work older than this means that there are too few workers. */
const OLD_SECONDS = 60;

function Backlog({ queues }: { queues: readonly QueueHealth[] | undefined }) {
  const waiting = queues?.reduce((sum, { backlog }) => sum + backlog, 0);
  const age = Math.max(0, ...(queues ?? []).map(({ backlogAgeSeconds }) => backlogAgeSeconds));
  return (
    <Part name="Waits for workers" isGood={waiting === undefined ? undefined : age < OLD_SECONDS}>
      {waiting === undefined ? 'unknown' : waiting === 0 ? 'nothing' : `${number(waiting)}, up to ${duration(age)}`}
    </Part>
  );
}

function Models({ indexes, open }: { indexes: readonly IndexInfo[] | undefined; open: readonly TaskRow[] }) {
  const names = [...new Set(indexes?.map(({ model }) => `${model.provider}/${model.name}`))];
  const waiting = open.filter(({ data }) => {
    const { reason } = (data?.waitsFor ?? {}) as { reason?: string };
    return reason?.startsWith('Model');
  });
  return (
    <Part name="Models" isGood={indexes && waiting.length === 0}>
      {waiting.length > 0
        ? `${plural(waiting.length, 'task')} wait for a model`
        : names.slice(0, 4).join(', ') || 'none'}
      {names.length > 4 && ` and ${names.length - 4} more`}
    </Part>
  );
}

function Schedules({ schedules }: { schedules: readonly Schedule[] | undefined }) {
  const paused = schedules?.filter((schedule) => schedule.paused).length ?? 0;
  const missed = schedules?.reduce((sum, { counts }) => sum + counts.missed, 0) ?? 0;
  const next = schedules?.flatMap(({ nextTimes }) => nextTimes[0] ?? []).sort()[0];
  return (
    <Part name="Schedules" isGood={schedules && missed === 0}>
      {!schedules && 'unknown'}
      {schedules && (
        <PageLink to="/schedules" fz="inherit" underline="always">
          {schedules.length === 0 ? 'none' : plural(schedules.length, 'schedule')}
        </PageLink>
      )}
      {paused > 0 && `, ${paused} paused`}
      {missed > 0 && `, ${plural(missed, 'run')} missed`}
      {next && (
        <>
          , next <Moment at={next} />
        </>
      )}
    </Part>
  );
}
