import { Code } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { schedulesQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { ScheduleDialog } from './schedule-dialog.tsx';
import { ScheduleTable } from './schedule-table.tsx';

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
            A schedule runs one of your jobs, an audit or a sync regularly: create one here, or for a job with{' '}
            <Code>{"task.every('1m', input)"}</Code> in the code that defines the job.
          </Empty>
        )}
        {data && data.schedules.length > 0 && <ScheduleTable schedules={data.schedules} />}
      </Card>
      {creating && <ScheduleDialog onClose={() => setCreating(false)} />}
    </>
  );
}
