import { Group } from '@mantine/core';
import { useState } from 'react';
import type { Schedule } from '../../client/client.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { RemoveSchedule } from './remove-schedule.tsx';
import { ScheduleDialog } from './schedule-dialog.tsx';

/** What can be done with a schedule: run it now, pause or resume it, change it, remove it. */
export function ScheduleActions({ schedule }: { schedule: Schedule }) {
  const { name, key, paused } = schedule;
  const changes = [['schedules']];
  const [changing, setChanging] = useState(false);
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
    <Group gap={4} className="row-actions">
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
      <ActionButton needs="admin" onClick={() => setChanging(true)} aria-label={`Change: ${of}`}>
        Change…
      </ActionButton>
      <ActionButton needs="admin" onClick={() => setRemoving(true)} aria-label={`Remove: ${of}`}>
        Remove…
      </ActionButton>
      {changing && <ScheduleDialog schedule={schedule} onClose={() => setChanging(false)} />}
      {removing && <RemoveSchedule name={name} scheduleKey={key} onClose={() => setRemoving(false)} />}
    </Group>
  );
}
