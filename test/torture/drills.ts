import type { ReindexCounts } from './counts.ts';
import { modelOfServer, type ReindexPlan } from './plans.ts';

/** What happens in each run at least once, whatever the seed and however slow the machine. */
export const EVENTS = [
  'approved',
  'rejected',
  'readsChanged',
  'shadowed',
  'canaried',
  'budgetPauses',
  'rollbacks',
  'rollForwards',
] as const satisfies readonly (keyof ReindexCounts)[];
export type TortureEvent = (typeof EVENTS)[number];
type EventCounts = Readonly<Record<TortureEvent, number>>;

interface Drill {
  /** What it brings about, unless a fault prevents it. */
  events: readonly TortureEvent[];
  of(plan: ReindexPlan, embeddingUrl: string): ReindexPlan;
}

/** So few that a rebuild of any size needs more. */
const FEW_CALLS = 2;

/** Reindexes into a new index that nothing ends early. */
const DRILLS: readonly Drill[] = [
  {
    events: ['rejected'],
    of: (plan) => drillOf(plan, 'reject'),
  },
  {
    events: ['approved', 'readsChanged', 'shadowed', 'canaried', 'budgetPauses', 'rollbacks', 'rollForwards'],
    of: (plan, embeddingUrl) => {
      const shares = [
        { shadow: 0.5, canary: 0 },
        { shadow: 1, canary: 0 },
        { shadow: 0, canary: 1 },
      ];
      const drill = drillOf(plan, 'approve');
      return {
        ...drill,
        ...{ shares, maxCalls: FEW_CALLS, turns: '2', endsKeeping: true },
        // The other models make no calls.
        fresh: { ...drill.fresh, destModel: modelOfServer(embeddingUrl) },
        options: {
          ...drill.options,
          ...shares[0],
          budget: { calls: FEW_CALLS },
          // Time to roll back on a slow machine too; the roll back ends it.
          retire: { after: '60s', keepCurrent: true },
        },
      };
    },
  },
];

function drillOf(plan: ReindexPlan, decision: 'approve' | 'reject'): ReindexPlan {
  const { budget: _budget, shadow: _shadow, canary: _canary, ...options } = plan.options;
  return {
    ...plan,
    ...{ attack: 'none', back: false, dest: undefined, turns: 'none', decision, shares: [], maxCalls: null },
    options: { ...options, approve: 'manual', retire: 'never' },
  };
}

/** Returns the events that have not happened yet. */
export function missingEvents(counts: EventCounts): TortureEvent[] {
  return EVENTS.filter((event) => counts[event] === 0);
}

/** Returns a variant of a plan that brings about the first of these events. */
export function drillFor([event]: readonly TortureEvent[], plan: ReindexPlan, embeddingUrl: string): ReindexPlan {
  const drill = DRILLS.find(({ events }) => events.some((brought) => brought === event));
  if (!drill) throw new Error(`nothing brings about the event ${event}`);
  return drill.of(plan, embeddingUrl);
}

/**
 * Yields plans of which every second one is a drill, until all events have happened: in a random order, so that each
 * meets other faults in another run.
 */
export function* withDrills(
  plans: Iterator<ReindexPlan>,
  parts: { counts: EventCounts; embeddingUrl: string; shuffled: (events: TortureEvent[]) => TortureEvent[] },
): Generator<ReindexPlan> {
  for (;;) {
    const plan = plans.next().value as ReindexPlan;
    const missing = parts.shuffled(missingEvents(parts.counts));
    if (missing.length > 0) yield drillFor(missing, plan, parts.embeddingUrl);
    yield plan;
  }
}
