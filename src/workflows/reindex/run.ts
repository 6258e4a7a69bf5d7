import type { ReindexState } from '../../contract/reindex-state.ts';
import type { ReindexInput } from '../../contract/workflow-inputs.ts';
import type { TaskContext } from '../task/types.ts';
import type { ReadsControl } from './reads.ts';
import type { SliceSteering } from './slice-steering.ts';

/** Defaults as in the contract's schema, for workflows that were started without them. */
export const DEFAULTS = {
  onConflict: 'wait',
  waitSeconds: 1_200,
  concurrency: 4,
  batchSize: 256,
  maxFailed: 0.01,
  destExisting: 'refuse',
  approve: 'auto',
  retire: 'never',
  lockSeconds: 900,
  drainSeconds: 5,
} as const;

export type ReindexSettings = ReindexInput & Required<Pick<ReindexInput, keyof typeof DEFAULTS>>;

/** State shared by the steps of one reindex. */
export interface ReindexRun {
  task: TaskContext;
  settings: ReindexSettings;
  state: ReindexState;
  slices: SliceSteering;
  reads: ReadsControl;
}
