import { approvalOf } from '../../contract/approval.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { number } from '../ui/format.ts';
import { isOpen } from '../ui/status.tsx';

/** A phase of a reindex: its name in the tracker, its title, and what happens. */
export type Phase = readonly [name: string, title: string, means: string];

const PHASES: readonly Phase[] = [
  ['lock', 'Lock', 'both indexes are locked'],
  ['prepare', 'Prepare', 'the model is checked'],
  ['copy', 'Copy', 'objects are embedded again'],
  ['index', 'Index', 'the HNSW index is built'],
  ['reconcile', 'Catch up', 'changes during the copy are copied'],
  ['verify', 'Verify', 'both indexes are compared'],
  ['cut-over', 'Switch', 'the alias moves to the new index'],
];
const EVALUATION: Phase = ['evaluation', 'Evaluate', 'a query set runs on both indexes'];
const APPROVAL: Phase = ['approval', 'Approve', 'the switch is approved or rejected'];

/** Returns the phases of a reindex: those of an approval only once there is one. */
export function phasesOf({ data }: Tracker): readonly Phase[] {
  const approval = approvalOf(data);
  if (!approval) return PHASES;
  const asked = approval.evaluation ? [EVALUATION, APPROVAL] : [APPROVAL];
  return [...PHASES.slice(0, -1), ...asked, ...PHASES.slice(-1)];
}

export type PhaseState = 'done' | 'now' | 'stopped' | 'pending' | 'unknown';

/** Returns the state of each phase; all are unknown if no worker answers. */
export function statesOf(tracker: Tracker, phases: readonly Phase[]): PhaseState[] {
  const { status, data } = tracker;
  const isDone = data.phase === 'done' || status === 'done';
  const at = isDone ? phases.length : phases.findIndex(([name]) => name === data.phase);
  // Only a worker reports the phase. A task that has not started has none.
  const isUnknown = at < 0 && !['pending', 'refused'].includes(status);
  return phases.map((_, place) => {
    if (isUnknown) return 'unknown';
    if (place < at) return 'done';
    if (place > at) return 'pending';
    return isOpen(status) ? 'now' : 'stopped';
  });
}

/** Returns the most important number of a phase; empty if it has none. */
export function figureOf(phase: string, { data, progress }: Tracker): string {
  const { evaluation, decision } = approvalOf(data) ?? {};
  if (phase === 'evaluation' && evaluation?.verdict) return evaluation.verdict;
  if (phase === 'approval' && decision) return decision.kind === 'approve' ? 'approved' : 'rejected';
  if (phase === 'copy' && progress.total > 0) return `${number(progress.done)} of ${number(progress.total)}`;
  if (phase === 'reconcile' && typeof data.reconciled === 'number') return `${number(data.reconciled)} copied`;
  if (phase === 'cut-over' && typeof data.drainMs === 'number') return `writes held ${number(data.drainMs)} ms`;
  return '';
}
