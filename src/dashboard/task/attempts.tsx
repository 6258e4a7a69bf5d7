import { Code, Group, Stack, Text } from '@mantine/core';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { Copy } from '../ui/copy.tsx';
import { Moment } from '../ui/moment.tsx';
import { attemptsText } from './attempts-text.ts';
import { failureOf, stageText } from './failure.tsx';

/** The errors of the attempts, newest first; the text of one that the page shows already is not repeated. */
export function Attempts({ tracker, ended }: { tracker: Tracker; ended: boolean }) {
  const { errors } = tracker;
  const shown = failureOf(tracker)?.error;
  return (
    <Card title="Attempts and errors">
      <Text fz="sm" c="dimmed" mb="sm">
        {attemptsText(tracker, ended)}
      </Text>
      <Stack component="ol" gap="sm" m={0} p={0} style={{ listStyle: 'none' }}>
        {errors.map((error) => (
          <li key={`${error.attempt} ${error.time} ${error.type}`}>
            <Group gap="sm" fz="sm">
              <Text fz="inherit" fw={600}>
                Attempt {error.attempt}
              </Text>
              <Text fz="inherit" c="var(--mantine-color-error)" fw={500}>
                {error.type}
                {stageText(error.stage)}
              </Text>
              <Text fz="xs" c="dimmed">
                <Moment at={error.time} />
              </Text>
              <Copy text={`${error.type}: ${error.message}${error.stack ? `\n${error.stack}` : ''}`} what="the error" />
            </Group>
            {error !== shown && (
              <Text fz="sm" className="wrap">
                {error.message}
              </Text>
            )}
            {error.stack && (
              <details>
                <summary style={{ cursor: 'pointer', fontSize: 'var(--mantine-font-size-xs)' }}>Stack</summary>
                <Code block mt={4} fz="xs" className="wrap" tabIndex={0} style={{ whiteSpace: 'pre-wrap' }}>
                  {framesOf(error.stack)}
                </Code>
              </details>
            )}
          </li>
        ))}
      </Stack>
    </Card>
  );
}

/** Returns a stack without its first lines, which repeat the message. */
function framesOf(stack: string): string {
  const first = stack.search(/^ {4}at /m);
  return first > 0 ? stack.slice(first) : stack;
}
