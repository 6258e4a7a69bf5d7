import { Button } from '@mantine/core';
import { setTimeFormat, TIME_FORMATS, useTimeFormat } from '../ui/time-format.ts';

/** Shows all times as relative, local or UTC ones, by turns: the exact time is reachable without a mouse. */
export function Times() {
  const format = useTimeFormat();
  const next = TIME_FORMATS[(TIME_FORMATS.indexOf(format) + 1) % TIME_FORMATS.length] ?? 'relative';
  const label = `Times: ${format}. Press to show ${next} times`;
  return (
    <Button
      variant="subtle"
      color="gray"
      size="compact-xs"
      fw={500}
      aria-label={label}
      title={label}
      onClick={() => setTimeFormat(next)}
    >
      {format}
    </Button>
  );
}
