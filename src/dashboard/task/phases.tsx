import { Box, Text } from '@mantine/core';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { isOpen } from '../ui/status.tsx';

/** The steps of a reindex, in the words of its tracker. */
const PHASES = [
  ['lock', 'Lock', 'both indexes are locked'],
  ['prepare', 'Prepare', 'the model answers'],
  ['copy', 'Copy', 'objects are embedded anew'],
  ['index', 'Index', 'HNSW is built'],
  ['reconcile', 'Reconcile', 'writes made meanwhile are brought'],
  ['verify', 'Verify', 'both indexes are compared'],
  ['cut-over', 'Cut over', 'the alias is switched'],
] as const;

type State = 'done' | 'now' | 'stopped' | 'ahead' | 'unknown';

const LOOKS: Record<State, { word: string; color: string; sign: string }> = {
  done: { word: 'done', color: 'teal-7', sign: '✓' },
  now: { word: 'now', color: 'blue-6', sign: '●' },
  stopped: { word: 'stopped here', color: 'red-7', sign: '■' },
  ahead: { word: 'ahead', color: 'gray-5', sign: '○' },
  unknown: { word: 'not known', color: 'gray-5', sign: '?' },
};

/** Where a reindex is on its way. */
export function Phases({ tracker }: { tracker: Tracker }) {
  const { phase } = tracker.data;
  const isDone = phase === 'done' || tracker.status === 'done';
  const at = isDone ? PHASES.length : PHASES.findIndex(([name]) => name === phase);
  // Only a worker tells the phase. A task that has not begun is in none.
  const isUnknown = at < 0 && !['pending', 'refused'].includes(tracker.status);
  const stateOf = (place: number): State => {
    if (isUnknown) return 'unknown';
    if (place < at) return 'done';
    if (place > at) return 'ahead';
    return isOpen(tracker.status) ? 'now' : 'stopped';
  };
  return (
    <Card title="Phases">
      {isUnknown && (
        <Text fz="sm" mb="xs" role="status">
          The phase is not known: no worker answers.
        </Text>
      )}
      <ol className="phases">
        {PHASES.map(([name, title, means], place) => {
          const { word, color, sign } = LOOKS[stateOf(place)];
          return (
            <Box
              key={name}
              component="li"
              aria-current={word === 'now' ? 'step' : undefined}
              title={means}
              style={{ borderTop: `3px solid var(--mantine-color-${color})`, paddingTop: 6 }}
            >
              <Text fz="sm" fw={word === 'ahead' ? 400 : 600}>
                <span aria-hidden>{sign} </span>
                {title}
              </Text>
              <Text fz="xs" c="dimmed">
                {word}
                {figure(name, tracker)}
              </Text>
            </Box>
          );
        })}
      </ol>
    </Card>
  );
}

/** What a phase has to tell in one number. */
function figure(phase: (typeof PHASES)[number][0], { data, progress }: Tracker): string {
  if (phase === 'copy' && progress.total > 0) return ` · ${number(progress.done)} of ${number(progress.total)}`;
  if (phase === 'reconcile' && typeof data.reconciled === 'number') return ` · ${number(data.reconciled)} brought`;
  if (phase === 'cut-over' && typeof data.drainMs === 'number') return ` · held ${number(data.drainMs)} ms`;
  return '';
}
