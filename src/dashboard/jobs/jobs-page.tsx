import { Code, Group, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { JobInfo } from '../../client/client.ts';
import { jobsQuery, schedulesQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { PageLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { RecentTasks } from '../ui/recent-tasks.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { RunJob } from './run-job.tsx';

const JOBS = { type: 'job' } as const;

/** The page of jobs: those that can be run, and the last runs. */
export function JobsPage() {
  const { data, error, refetch } = useQuery(jobsQuery);
  const [running, setRunning] = useState<JobInfo | 'other' | null>(null);
  return (
    <>
      <PageHead title="Jobs" actions={<ActionButton onClick={() => setRunning('other')}>Run a job…</ActionButton>} />
      <Stack gap="md">
        <Card flush title="Definitions">
          {error && !data && <Problem error={error} retry={() => void refetch()} title="The jobs cannot be listed" />}
          {!data && !error && <Loading rows={3} />}
          {data?.jobs.length === 0 && (
            <Empty title={data.known ? 'No jobs are defined' : 'The API does not know the jobs'}>
              {data.known ? (
                <>
                  A job is one of your own functions: define it with <Code>defineTask</Code>.
                </>
              ) : (
                'It was started without their definitions. Any name can be run; the worker checks it.'
              )}
            </Empty>
          )}
          {data && data.jobs.length > 0 && <JobTable jobs={data.jobs} onRun={setRunning} />}
        </Card>
        <RecentTasks title="Last runs" filter={JOBS} />
      </Stack>
      {running !== null && (
        <RunJob name={running === 'other' ? undefined : running.name} onClose={() => setRunning(null)} />
      )}
    </>
  );
}

function JobTable({ jobs, onRun }: { jobs: readonly JobInfo[]; onRun: (job: JobInfo) => void }) {
  return (
    <Table layout="fixed" aria-label="Jobs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Job</Table.Th>
          <Table.Th w="30%" visibleFrom="md">
            Options
          </Table.Th>
          <Table.Th w={150} visibleFrom="sm">
            Scheduled
          </Table.Th>
          <Table.Th w={90} ta="right">
            Run
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {jobs.map((job) => (
          <Table.Tr key={job.name} data-job={job.name}>
            <Table.Td>
              <span className="id">{job.name}</span>
              {job.description !== null && (
                <Text fz="xs" c="dimmed" className="wrap">
                  {job.description}
                </Text>
              )}
              <Text fz="xs" c="dimmed" className="wrap" hiddenFrom="md">
                {optionsText(job)}
              </Text>
            </Table.Td>
            <Table.Td visibleFrom="md" className="wrap">
              <Text fz="xs">{optionsText(job)}</Text>
            </Table.Td>
            <Table.Td visibleFrom="sm">
              <Scheduled name={job.name} />
            </Table.Td>
            <Table.Td ta="right">
              <ActionButton onClick={() => onRun(job)} aria-label={`Run ${job.name}`}>
                Run…
              </ActionButton>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** When a job runs next by a schedule, with a link to all schedules. */
function Scheduled({ name }: { name: string }) {
  const { data } = useQuery(schedulesQuery);
  const own = data?.schedules.filter((schedule) => schedule.name === name) ?? [];
  const next = own.flatMap(({ nextTimes }) => nextTimes[0] ?? []).sort()[0];
  if (own.length === 0) return null;
  return (
    <Group gap={6}>
      <PageLink to="/schedules" fz="inherit">
        {next === undefined ? 'paused' : <Moment at={next} />}
      </PageLink>
    </Group>
  );
}

/** The options of a definition in one line; those that it leaves out have the defaults. */
function optionsText({ options, byInput }: JobInfo): string {
  const set = Object.entries(options).map(([name, value]) => `${name} ${valueText(value)}`);
  const computed = byInput.map((name) => `${name} by its input`);
  return [...set, ...computed].join(', ') || 'defaults';
}

const valueText = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
