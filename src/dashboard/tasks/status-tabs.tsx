import { Group, ScrollArea, Text, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { TaskFilter } from '../../client/client.ts';
import { TASK_STATUSES, type TaskStatus } from '../../contract/status.ts';
import { countsQuery } from '../api/queries.ts';
import { number } from '../ui/format.ts';
import { StatusDot } from '../ui/status.tsx';
import classes from './status-tabs.module.css';

interface StatusTabsProps {
  filter: Omit<TaskFilter, 'status'>;
  selected: TaskStatus | undefined;
}

/** The number of tasks by status; a click filters by the status. */
export function StatusTabs({ filter, selected }: StatusTabsProps) {
  const { data } = useQuery(countsQuery(filter));
  const navigate = useNavigate({ from: '/tasks' });
  const shown = TASK_STATUSES.filter((status) => status === selected || (data?.byStatus[status] ?? 0) > 0);
  const show = (status: TaskStatus | undefined) => void navigate({ search: (before) => ({ ...before, status }) });
  return (
    <ScrollArea type="never" viewportProps={{ tabIndex: -1 }}>
      <Group gap={4} px="sm" pt="sm" wrap="nowrap" role="group" aria-label="Status">
        <Tab label="all" count={data?.total} pressed={selected === undefined} onClick={() => show(undefined)} />
        {shown.map((status) => (
          <Tab
            key={status}
            label={status}
            status={status}
            count={data?.byStatus[status]}
            pressed={status === selected}
            onClick={() => show(status)}
          />
        ))}
      </Group>
    </ScrollArea>
  );
}

interface TabProps {
  label: string;
  status?: TaskStatus;
  count: number | undefined;
  pressed: boolean;
  onClick: () => void;
}

function Tab({ label, status, count, pressed, onClick }: TabProps) {
  return (
    <UnstyledButton className={classes.tab} aria-pressed={pressed} onClick={onClick}>
      {status && <StatusDot status={status} />}
      <span>{label}</span>
      <Text component="span" fz="xs" c="dimmed">
        {count === undefined ? '' : number(count)}
      </Text>
    </UnstyledButton>
  );
}
