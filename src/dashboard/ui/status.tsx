import { Group, Text } from '@mantine/core';
import { STATUSES, type TaskStatus } from '../../contract/status.ts';

/** Colors of the statuses; always shown with the name. */
const COLORS: Record<TaskStatus, string> = {
  pending: 'gray.5',
  processing: 'blue.6',
  waiting: 'yellow.6',
  paused: 'grape.6',
  failed: 'red.7',
  exhausted: 'red.9',
  done: 'teal.7',
  canceled: 'gray.6',
  refused: 'orange.7',
  ignored: 'gray.5',
};

/** Statuses that do not change by themselves; a failed task may have attempts left. */
const ENDED: readonly TaskStatus[] = ['done', 'canceled', 'exhausted', 'refused', 'ignored'];

export function isOpen(status: TaskStatus): boolean {
  return !ENDED.includes(status) && status !== 'failed';
}

interface StatusProps {
  status: TaskStatus;
  /** Without animation: the status is the last known one. */
  still?: boolean | undefined;
}

export function StatusDot({ status, still = false }: StatusProps) {
  const color = `var(--mantine-color-${COLORS[status].replace('.', '-')})`;
  return (
    <span
      aria-hidden
      className={status === 'processing' && !still ? 'pulse' : undefined}
      style={{ width: 8, height: 8, borderRadius: 8, background: color, flex: 'none' }}
    />
  );
}

export function Status({ status, still }: StatusProps) {
  return (
    <Group gap={7} wrap="nowrap" component="span" title={STATUSES[status].means} style={{ display: 'inline-flex' }}>
      <StatusDot status={status} still={still} />
      <Text component="span" fz="inherit" fw={500}>
        {status}
      </Text>
    </Group>
  );
}
