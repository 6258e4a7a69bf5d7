import { Box, Text } from '@mantine/core';
import { approvalOf } from '../../contract/approval.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { isOpen } from '../ui/status.tsx';

/** A phase of a reindex: its name in the tracker, its title, and what happens. */
type Phase = readonly [name: string, title: string, means: string];

const PHASES: readonly Phase[] = [
  ['lock', 'Lock', 'both indexes are locked'],
  ['prepare', 'Prepare', 'the model answers'],
  ['copy', 'Copy', 'objects are embedded again'],
  ['index', 'Index', 'HNSW is built'],
  ['reconcile', 'Reconcile', 'writes of the meantime are copied'],
  ['verify', 'Verify', 'both indexes are compared'],
  ['cut-over', 'Cut over', 'the alias is switched'],
];
const EVALUATION: Phase = ['evaluation', 'Evaluate', 'a query set runs on both indexes'];
const APPROVAL: Phase = ['approval', 'Approve', 'the switch is approved or rejected'];

/** Returns the phases of a reindex: those of an approval only once there is one. */
function phasesOf({ data }: Tracker): readonly Phase[] {
  const approval = approvalOf(data);
  if (!approval) return PHASES;
  const asked = approval.evaluation ? [EVALUATION, APPROVAL] : [APPROVAL];
  return [...PHASES.slice(0, -1), ...asked, ...PHASES.slice(-1)];
}

type State = 'done' | 'now' | 'stopped' | 'ahead' | 'unknown';

const LOOKS: Record<State, { word: string; color: string; sign: string }> = {
  done: { word: 'done', color: 'teal-7', sign: '✓' },
  now: { word: 'now', color: 'blue-6', sign: '●' },
  stopped: { word: 'stopped here', color: 'red-7', sign: '■' },
  ahead: { word: 'ahead', color: 'gray-5', sign: '○' },
  unknown: { word: 'unknown', color: 'gray-5', sign: '?' },
};

/** The current phase of a reindex. */
export function Phases({ tracker }: { tracker: Tracker }) {
  const { phase } = tracker.data;
  const isDone = phase === 'done' || tracker.status === 'done';
  const phases = phasesOf(tracker);
  const at = isDone ? phases.length : phases.findIndex(([name]) => name === phase);
  // Only a worker reports the phase. A task that has not started has none.
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
          The phase is unknown: no worker answers.
        </Text>
      )}
      <ol className="phases">
        {phases.map(([name, title, means], place) => {
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

/** Returns the most important number of a phase. */
function figure(phase: string, { data, progress }: Tracker): string {
  const { evaluation, decision } = approvalOf(data) ?? {};
  if (phase === 'evaluation' && evaluation?.verdict) return ` · ${evaluation.verdict}`;
  if (phase === 'approval' && decision) return decision.kind === 'approve' ? ' · approved' : ' · rejected';
  if (phase === 'copy' && progress.total > 0) return ` · ${number(progress.done)} of ${number(progress.total)}`;
  if (phase === 'reconcile' && typeof data.reconciled === 'number') return ` · ${number(data.reconciled)} copied`;
  if (phase === 'cut-over' && typeof data.drainMs === 'number') return ` · held ${number(data.drainMs)} ms`;
  return '';
}
