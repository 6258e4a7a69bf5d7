import { Group, Text } from '@mantine/core';
import type { SourceInfo } from '../../contract/sources.ts';
import { useStale } from '../api/connection.ts';
import { count, duration } from '../ui/format.ts';
import { STATE_COLORS } from './queries.ts';

/** The state of a source, as a dot and its name. */
export function State({ state }: Pick<SourceInfo, 'state'>) {
  const stale = useStale();
  const color = `var(--mantine-color-${STATE_COLORS[state]})`;
  return (
    <Group gap={7} wrap="nowrap" component="span" style={{ display: 'inline-flex' }}>
      <span
        aria-hidden
        className={state === 'starting' && !stale ? 'dot pulse' : 'dot'}
        style={{ background: color }}
      />
      <Text component="span" fz="inherit" fw={500}>
        {state}
      </Text>
    </Group>
  );
}

/** The changes that are not in the index yet, with the age of the oldest. */
export function Backlog({ source: { backlog, definition } }: { source: SourceInfo }) {
  if (definition.follow === 'poll') return <span>not counted: it polls</span>;
  if (!backlog) return <span>unknown: the table’s database does not answer</span>;
  const { changes, estimated, seconds } = backlog;
  if (changes === 0) return <span>none</span>;
  return (
    <span>
      {count(changes, estimated)} {changes === 1 ? 'change' : 'changes'}
      {seconds !== null && `, the oldest ${duration(seconds)} old`}
    </span>
  );
}
