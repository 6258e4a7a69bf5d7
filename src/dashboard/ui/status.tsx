import { Group, Text } from '@mantine/core';
import { isRetrying, STATUSES, type TaskStatus } from '../../contract/status.ts';
import type { Progress } from '../../contract/tasks.ts';
import { useStale } from '../api/connection.ts';
import { plural } from './format.ts';

/** Statuses as people read them: `failed` is two different things, and `done` may leave something to do. */
export type ShownStatus = TaskStatus | 'retrying' | 'done with failed items';

/** Colors of the statuses; always shown with the name. */
const COLORS: Record<ShownStatus, string> = {
  pending: 'gray.5',
  processing: 'blue.6',
  waiting: 'yellow.6',
  paused: 'grape.6',
  retrying: 'orange.5',
  failed: 'red.7',
  exhausted: 'red.9',
  done: 'teal.7',
  'done with failed items': 'yellow.6',
  canceled: 'gray.6',
  refused: 'orange.7',
  ignored: 'gray.5',
};

const MEANS: Partial<Record<ShownStatus, string>> = {
  retrying: 'the last attempt failed; another one follows',
  failed: 'it failed, and no attempt follows by itself',
  'done with failed items': 'it has ended, but could not write some items; they can be retried alone',
};

/** Statuses that do not change by themselves; a failed task may have attempts left. */
const ENDED: readonly TaskStatus[] = ['done', 'canceled', 'exhausted', 'refused', 'ignored'];

export function isOpen(status: TaskStatus): boolean {
  return !ENDED.includes(status) && status !== 'failed';
}

/** Returns the status as shown; `ended` is whether the task has ended. */
export function shownStatus(status: TaskStatus, ended: boolean | undefined): ShownStatus {
  return isRetrying(status, ended) ? 'retrying' : status;
}

interface StatusProps {
  status: ShownStatus;
  /** Without animation: the status is the last known one. */
  still?: boolean | undefined;
  /** If it is done with failed items, it is not green; the bar beside it has their number. */
  progress?: Progress | undefined;
}

function colorOf(status: ShownStatus, failed: number): string {
  const color = COLORS[status === 'done' && failed > 0 ? 'done with failed items' : status];
  return `var(--mantine-color-${color.replace('.', '-')})`;
}

export function StatusDot({
  status,
  still = false,
  failed = 0,
}: Pick<StatusProps, 'status' | 'still'> & { failed?: number }) {
  const stale = useStale();
  return (
    <span
      aria-hidden
      className={status === 'processing' && !still && !stale ? 'pulse' : undefined}
      style={{ width: 8, height: 8, borderRadius: 8, background: colorOf(status, failed), flex: 'none' }}
    />
  );
}

export function Status({ status, still, progress }: StatusProps) {
  const failed = status === 'done' ? (progress?.failed ?? 0) : 0;
  const means = MEANS[status] ?? STATUSES[status as TaskStatus].means;
  return (
    <Group
      gap={7}
      wrap="nowrap"
      component="span"
      title={failed > 0 ? `${means}; ${plural(failed, 'item')} failed` : means}
      style={{ display: 'inline-flex' }}
    >
      <StatusDot status={status} still={still} failed={failed} />
      <Text component="span" fz="inherit" fw={500}>
        {status}
      </Text>
    </Group>
  );
}
