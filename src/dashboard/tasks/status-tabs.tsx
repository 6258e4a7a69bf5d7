import { Group, Text, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { TaskFilter } from '../../client/client.ts';
import { TASK_STATUSES, type TaskStatus } from '../../contract/status.ts';
import { countsQuery } from '../api/queries.ts';
import { number } from '../ui/format.ts';
import { type ShownStatus, StatusDot } from '../ui/status.tsx';
import classes from './status-tabs.module.css';

interface StatusTabsProps {
  filter: Omit<TaskFilter, 'status' | 'open' | 'hasFailedItems'>;
  selected: ShownStatus | undefined;
}

/** Statuses that people read as two: failed ones are tried again or not; those with failed items are done too. */
const SPLIT: Partial<Record<TaskStatus, readonly ShownStatus[]>> = {
  failed: ['retrying', 'failed'],
  done: ['done', 'done with failed items'],
};

export const SHOWN_STATUSES: readonly ShownStatus[] = TASK_STATUSES.flatMap((status) => SPLIT[status] ?? [status]);

/** Converts a shown status to a filter of the API. */
export function statusFilter(status: ShownStatus | undefined): Pick<TaskFilter, 'status' | 'open' | 'hasFailedItems'> {
  if (status === 'done with failed items') return { status: 'done', open: undefined, hasFailedItems: true };
  if (status === 'retrying') return { status: 'failed', open: true };
  return status === 'failed' ? { status, open: false } : { status, open: undefined };
}

/** The number of tasks by status; a click filters by the status. */
export function StatusTabs({ filter, selected }: StatusTabsProps) {
  const { data } = useQuery(countsQuery(filter));
  const retrying = useQuery(countsQuery({ ...filter, open: true })).data?.byStatus.failed;
  const incomplete = useQuery(countsQuery({ ...filter, hasFailedItems: true })).data?.byStatus.done;
  const navigate = useNavigate({ from: '/tasks' });
  const countOf = (status: ShownStatus) => {
    if (status === 'retrying') return retrying;
    if (status === 'done with failed items') return incomplete;
    const all = data?.byStatus[status];
    // Counted a moment apart.
    return all === undefined || status !== 'failed' ? all : Math.max(0, all - (retrying ?? 0));
  };
  const shown = SHOWN_STATUSES.filter((status) => status === selected || (countOf(status) ?? 0) > 0);
  const show = (status: ShownStatus | undefined) =>
    void navigate({ search: (before) => ({ ...before, status, page: undefined }) });
  return (
    <Group gap={4} px="sm" pt="sm" role="group" aria-label="Status">
      <Tab label="all" count={data?.total} pressed={selected === undefined} onClick={() => show(undefined)} />
      {shown.map((status) => (
        <Tab
          key={status}
          label={status}
          status={status}
          count={countOf(status)}
          pressed={status === selected}
          onClick={() => show(status)}
        />
      ))}
    </Group>
  );
}

interface TabProps {
  label: string;
  status?: ShownStatus;
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
