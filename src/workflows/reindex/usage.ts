import type { Usage } from '../../contract/budget.ts';
import type { Tracker } from '../../contract/tasks.ts';

/** Shows in a tracker what a reindex has used of its model, unless it shows something newer. */
export function showUsage({ data }: Pick<Tracker, 'data'>, usage: Usage | undefined): void {
  const shown = data.usage as Usage | undefined;
  if (usage && usage.calls >= (shown?.calls ?? 0)) data.usage = { ...usage, budget: { ...usage.budget } };
}
