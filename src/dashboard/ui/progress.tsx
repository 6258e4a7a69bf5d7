import { Box, Group, Progress, Text } from '@mantine/core';
import type { Progress as TaskProgress } from '../../contract/tasks.ts';
import { number, percent, plural } from './format.ts';

interface ProgressBarProps {
  progress: TaskProgress;
  label: string;
  size?: 'sm' | 'lg';
  /** Hide the bar if nothing is left to do. */
  quiet?: boolean;
}

/** The progress of a task, as a bar and in numbers. */
export function ProgressBar({ progress, label, size = 'sm', quiet = false }: ProgressBarProps) {
  const { done, total, failed } = progress;
  if (total === 0) return null;
  const share = percent(done, total);
  if (quiet && done === total && failed === 0) {
    return (
      <Text fz="xs" c="dimmed" className="nowrap">
        {number(total)} of {number(total)}
      </Text>
    );
  }
  return (
    <Box>
      <Group justify="space-between" gap={6} wrap="nowrap" mb={3}>
        <Text fz="xs" className="nowrap">
          {number(done)} of {number(total)}
        </Text>
        <Text fz="xs" c="dimmed" className="nowrap">
          {Math.floor(share)}%
        </Text>
      </Group>
      <Progress.Root size={size}>
        <Progress.Section
          value={percent(done - failed, total)}
          color={done === total ? 'teal.7' : 'indigo.7'}
          aria-label={label}
        />
        {failed > 0 && <Progress.Section value={percent(failed, total)} color="red.7" aria-label="failed" />}
      </Progress.Root>
      {failed > 0 && (
        <Text fz="xs" c="var(--mantine-color-error)" mt={2}>
          {plural(failed, 'item')} failed
        </Text>
      )}
    </Box>
  );
}
