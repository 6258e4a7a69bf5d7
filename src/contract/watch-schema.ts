import { z } from 'zod';
import { durationSchema } from './duration-schema.ts';
import { durationMs } from './durations.ts';
import { closest } from './spelling.ts';
import {
  BASELINE_MINUTES,
  MIN_SEARCHES,
  ROLL_BACK_BOUNDS,
  type RollBackBound,
  WATCH_WINDOW_MINUTES,
  watchProblem,
} from './watch.ts';

const SHARE = 'a number above 0 and at most 1';
const shareSchema = z.number({ error: SHARE }).gt(0, SHARE).max(1, SHARE).optional();
const RATIO = 'a number above 1 and at most 1000';

const bounds = {
  emptyShare: shareSchema.describe('Share of the searches without any hit.'),
  errorShare: shareSchema.describe('Share of the searches that failed: errors of the model or the database.'),
  latencyP95Ratio: z
    .number({ error: RATIO })
    .gt(1, RATIO)
    .max(1_000, RATIO)
    .optional()
    .describe(
      `p95 of the latency divided by that of the old index in the last ${BASELINE_MINUTES} minutes before the switch.`,
    ),
} satisfies Record<RollBackBound, z.ZodType>;

const rollBackIfShape = {
  ...bounds,
  minSearches: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(MIN_SEARCHES)
    .describe('Nothing is decided with fewer searches, after the switch or (for the ratio) before it.'),
};
/** Names that `rollBackIf` takes. */
export const ROLL_BACK_IF_NAMES = Object.keys(rollBackIfShape);

/** Returns the message for an unknown bound. */
export function unknownBound(name: string): string {
  const near = closest(name, ROLL_BACK_IF_NAMES);
  return near === undefined
    ? `is not a known bound: ${ROLL_BACK_IF_NAMES.join(', ')}`
    : `is not a known bound: did you mean ${near}?`;
}

const rollBackIfSchema = z
  .strictObject(rollBackIfShape, {
    error: ({ code, keys }) =>
      code === 'unrecognized_keys' ? unknownBound(String((keys as string[] | undefined)?.[0])) : undefined,
  })
  .refine((given) => ROLL_BACK_BOUNDS.some((name) => given[name] !== undefined), {
    error: `must name at least one bound: ${ROLL_BACK_BOUNDS.join(', ')}`,
  });

const MIN_WATCH_MS = 60_000;

export const watchSchema = z
  .strictObject({
    for: durationSchema
      .refine((given) => durationMs(given) >= MIN_WATCH_MS, 'at least 1m')
      .describe('How long, from the switch; at most as long as the old index is kept current.'),
    rollBackIf: rollBackIfSchema.describe('The bounds; the first that is exceeded decides.'),
  })
  .meta({ id: 'Watch', examples: [{ for: '24h', rollBackIf: { emptyShare: 0.1, errorShare: 0.02 } }] });
export type WatchSettings = z.output<typeof watchSchema>;

/** The field of a reindex. */
export const watchField = watchSchema
  .optional()
  .describe(
    'Watches the searches that the new index answers after the switch, and rolls back by itself as soon as a bound is ' +
      'exceeded. Needs `retire` with `keepCurrent`, and an alias. The newest searches are judged: those of the last ' +
      `${WATCH_WINDOW_MINUTES} minutes, or the last \`minSearches\` if these are more.`,
  );

/** Adds what is wrong with the watch of a reindex to its issues. */
export function refineWatch(
  { watch, retire }: { watch?: WatchSettings | undefined; retire: unknown },
  ctx: z.RefinementCtx,
): void {
  if (!watch) return;
  const { after, keepCurrent } = (typeof retire === 'object' && retire ? retire : {}) as {
    after?: string | number;
    keepCurrent?: boolean;
  };
  const keptMs = keepCurrent && after !== undefined ? durationMs(after) : null;
  const problem = watchProblem(durationMs(watch.for), keptMs);
  if (problem) ctx.addIssue({ code: 'custom', ...problem });
}
