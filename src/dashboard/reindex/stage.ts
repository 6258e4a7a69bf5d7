import { approvalOf } from '../../contract/approval.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { isOverBudget } from './usage.tsx';

export interface Pair {
  source: string;
  dest: string;
}

/** How far the release is: `stopped` is every end without a switch. */
export type Stage = 'building' | 'deciding' | 'switched' | 'stopped';

export function stageOf({ status, data }: Tracker, ended: boolean): Stage {
  if (status === 'done' || data.phase === 'done') return 'switched';
  if (ended) return 'stopped';
  return approvalOf(data)?.decision === null ? 'deciding' : 'building';
}

/** Returns the index of the pair that no alias points to: the old one, if that is true of both. */
export function unusedOf({ source, dest }: Pair, indexes: readonly IndexInfo[]): string {
  const serves = (name: string) => (indexes.find((index) => index.name === name)?.aliases.length ?? 0) > 0;
  return serves(source) && !serves(dest) ? dest : source;
}

/** Returns what happens now and what comes next, in one sentence. */
export function nextText(tracker: Tracker, stage: Stage, { source, dest }: Pair, unused: string): string {
  const alias = typeof tracker.data.alias === 'string' ? tracker.data.alias : null;
  if (stage === 'deciding')
    return `${dest} is complete. Compare it with ${source}, then approve or reject the switch of ${alias ?? 'no alias'}.`;
  if (stage === 'stopped') return `Nothing was switched: ${source} serves as before.`;
  if (stage === 'building') {
    if (isOverBudget(tracker)) return 'The budget is used up. Raise it to continue.';
    return tracker.status === 'paused'
      ? `Paused. ${source} serves until the switch.`
      : `${dest} is being built. ${source} serves until the switch.`;
  }
  if (alias === null) return `${dest} is complete. No alias was switched.`;
  return unused === dest
    ? `Rolled back: ${source} serves. Roll forward, or delete ${dest}.`
    : `${dest} serves as ${alias}. Roll back if it does worse; delete ${source} when you are sure.`;
}
