import { useQuery } from '@tanstack/react-query';
import type { Tracker } from '../../contract/tasks.ts';
import { Comparison } from './comparison.tsx';
import { Reads } from './reads.tsx';
import { hasBegun, Release } from './release.tsx';
import { retireQuery } from './retire.ts';
import { isOverBudget } from './stage.ts';
import { Timeline } from './timeline.tsx';
import { UsageCard } from './usage.tsx';
import { Watch } from './watch.tsx';

interface ReindexPartsProps {
  tracker: Tracker;
  ended: boolean;
}

/** What the page of a reindex shows besides what all tasks have. */
export function ReindexParts({ tracker, ended }: ReindexPartsProps) {
  const { data: retire } = useQuery(retireQuery(tracker));
  const { source, dest } = tracker.data;
  const isPair = hasBegun(tracker) && typeof source === 'string' && typeof dest === 'string';
  return (
    <>
      <Release tracker={tracker} ended={ended} />
      {isOverBudget(tracker) && <UsageCard tracker={tracker} ended={ended} />}
      {isPair && <Comparison tracker={tracker} pair={{ source, dest }} />}
      {retire && <Watch tracker={retire} />}
      {/* Begun before the switch; what continues after it belongs to the task that keeps the old index. */}
      <Reads tracker={tracker} />
      {retire?.data.reads && <Reads tracker={retire} />}
      <Timeline tracker={tracker} />
      {!isOverBudget(tracker) && <UsageCard tracker={tracker} ended={ended} />}
    </>
  );
}
