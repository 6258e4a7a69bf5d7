import { approvalOf } from '../../contract/approval.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { Tracker } from '../../contract/tasks.ts';

/** Names of the index that is rebuilt and of the one that is built. */
export interface Pair {
  source: string;
  dest: string;
}

/** How far a release is; `stopped` is every end without a switch. */
export type Stage = 'building' | 'deciding' | 'switched' | 'stopped';

export function stageOf({ status, data }: Tracker, ended: boolean): Stage {
  if (status === 'done' || data.phase === 'done') return 'switched';
  if (ended) return 'stopped';
  return approvalOf(data)?.decision === null ? 'deciding' : 'building';
}

const find = (indexes: readonly IndexInfo[], name: string) => indexes.find((index) => index.name === name);

/** Returns the index that a release leaves unused: the old one, unless the new one does not serve. */
export function unusedOf({ source, dest }: Pair, stage: Stage, indexes: readonly IndexInfo[]): string {
  if (stage === 'building' || stage === 'deciding') return source;
  if (stage === 'stopped') return dest;
  const serves = (name: string) => (find(indexes, name)?.aliases.length ?? 0) > 0;
  return serves(source) && !serves(dest) ? dest : source;
}

/** Returns what happens now and what comes next, in words. */
export function nextText(tracker: Tracker, stage: Stage, pair: Pair, indexes: readonly IndexInfo[]): string {
  const { source, dest } = pair;
  const alias = typeof tracker.data.alias === 'string' ? tracker.data.alias : null;
  if (stage === 'building') return buildingText(tracker, pair);
  if (stage === 'stopped') return `Nothing was switched: ${source} is as before.`;
  if (stage === 'deciding') {
    const what = alias === null ? 'the reindex' : `the switch of ${alias}`;
    return `${dest} is complete. Compare it with ${source}, then approve or reject ${what}.`;
  }
  const unused = unusedOf(pair, stage, indexes);
  if (!find(indexes, unused)) return `${unused === source ? dest : source} serves, and ${unused} is deleted.`;
  if (alias === null) return `${dest} is complete. No alias was switched.`;
  const serving = indexes.find(({ aliases }) => aliases.includes(alias))?.name;
  if (serving !== undefined && serving !== source && serving !== dest) {
    return `${serving} serves as ${alias} by now. Neither ${source} nor ${dest} does.`;
  }
  if (unused === dest) return `Rolled back: ${source} serves. Roll forward, or delete ${dest}.`;
  return `${dest} serves as ${alias}. Roll back if it does worse; delete ${source} when you are sure.`;
}

function buildingText(tracker: Tracker, { source, dest }: Pair): string {
  if (isOverBudget(tracker)) return 'The budget is used up. Raise it to continue.';
  const doing = tracker.status === 'paused' ? 'Paused.' : `${dest} is being built.`;
  return `${doing} ${source} serves until the switch.`;
}

/** Whether a reindex has paused because its budget, or that of its model for the day, is used up. */
export function isOverBudget({ status, errors }: Tracker): boolean {
  return status === 'paused' && errors[0]?.type === 'BudgetUsedUp';
}
