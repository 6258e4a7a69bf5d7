import type { AskedIndexBuild } from '../../contract/index-build.ts';
import { type ReindexRequest, reindexSchema } from '../../contract/task-bodies.ts';
import { MIN_SEARCHES } from '../../contract/watch.ts';

const DEFAULTS = reindexSchema.parse({ source: 'a', dest: 'b' });

/** The draft of a reindex's options, with the defaults of the API filled in. Shares are in percent. */
export interface OptionsDraft {
  taskId: string;
  ratePerSecond: number | string;
  concurrency: number | string;
  batchSize: number | string;
  maxFailed: string;
  budgetUsd: number | string;
  budgetTokens: number | string;
  budgetCalls: number | string;
  reuse: boolean;
  batchApi: boolean;
  indexBuild: AskedIndexBuild;
  onConflict: 'wait' | 'refuse';
  destExisting: 'refuse' | 'replace';
  approve: 'auto' | 'manual' | 'verdict' | 'verdictAndPerson';
  querySet: string;
  timeout: string;
  onTimeout: 'reject' | 'approve';
  onReject: 'keep' | 'delete';
  shadow: number | string;
  canary: number | string;
  retire: 'never' | 'now' | 'after' | 'keepCurrent';
  after: string;
  watches: boolean;
  watchFor: string;
  emptyShare: number | string;
  errorShare: number | string;
  latencyP95Ratio: number | string;
  minSearches: number | string;
}

export const emptyOptions: OptionsDraft = {
  taskId: '',
  ratePerSecond: '',
  concurrency: DEFAULTS.concurrency,
  batchSize: DEFAULTS.batchSize,
  maxFailed: `${DEFAULTS.maxFailed * 100}%`,
  budgetUsd: '',
  budgetTokens: '',
  budgetCalls: '',
  reuse: DEFAULTS.reuse,
  batchApi: DEFAULTS.batchApi,
  indexBuild: DEFAULTS.indexBuild,
  onConflict: DEFAULTS.onConflict,
  destExisting: DEFAULTS.destExisting,
  approve: 'auto',
  querySet: '',
  timeout: '',
  onTimeout: 'reject',
  onReject: 'keep',
  shadow: 0,
  canary: 0,
  retire: 'never',
  after: '24h',
  watches: false,
  watchFor: '24h',
  emptyShare: 10,
  errorShare: 2,
  latencyP95Ratio: '',
  minSearches: MIN_SEARCHES,
};

/** Problems of fields whose values the form shows in another way than the API. */
export const OPTION_WORDS: Readonly<Record<string, string>> = {
  maxFailed: 'Enter a number, a percentage such as 1%, or “no limit”.',
  shadow: 'Enter a number from 0 to 100.',
  canary: 'Enter a number from 0 to 100.',
  'approve.querySet': 'Choose a query set.',
  'approve.timeout': 'Enter a time from 1s to 90d, such as 24h.',
  'retire.after': 'Enter a time such as 90m, 24h or 7d.',
  'watch.rollBackIf': 'Enter at least one of the three bounds.',
  'watch.rollBackIf.emptyShare': 'Enter a number above 0 and at most 100.',
  'watch.rollBackIf.errorShare': 'Enter a number above 0 and at most 100.',
  'watch.rollBackIf.latencyP95Ratio': 'Enter a number above 1 and at most 1,000.',
};

type Draft = Readonly<OptionsDraft>;

/** Converts a draft to the options that are sent; `alias` is whether the source is an alias, which a switch moves. */
export function optionsOf(draft: Draft, alias: boolean): Partial<ReindexRequest> {
  const { taskId, retire, after, onConflict, destExisting, reuse, budgetUsd, budgetTokens, budgetCalls } = draft;
  const budget = numbersOf({ usd: budgetUsd, tokens: budgetTokens, calls: budgetCalls });
  const { ratePerSecond, concurrency, batchSize } = draft;
  return {
    ...numbersOf({ ratePerSecond, concurrency, batchSize }),
    ...(draft.maxFailed.trim() !== '' && { maxFailed: maxFailedOf(draft.maxFailed) }),
    ...(Object.keys(budget).length > 0 && { budget }),
    ...(taskId && { taskId }),
    onConflict,
    destExisting,
    reuse,
    batchApi: draft.batchApi,
    indexBuild: draft.indexBuild,
    approve: approveOf(draft),
    ...(alias && draft.approve !== 'auto' && readsOf(draft)),
    retire: retire === 'never' || retire === 'now' ? retire : { after, keepCurrent: retire === 'keepCurrent' },
    ...(mayWatch(draft, alias) && draft.watches && { watch: watchOf(draft) }),
  };
}

/** Whether a watch is possible: only an index that is kept current can serve again. */
export function mayWatch({ retire }: Draft, alias: boolean): boolean {
  return alias && retire === 'keepCurrent';
}

/** Returns the numbers that are given. */
function numbersOf<Name extends string>(draft: Record<Name, number | string>): Partial<Record<Name, number>> {
  const given = Object.entries<number | string>(draft).filter(([, value]) => value !== '');
  return Object.fromEntries(given.map(([name, value]) => [name, Number(value)])) as Partial<Record<Name, number>>;
}

/** Returns a number, or a fraction of a percentage; NaN for anything else, which the schema reports. */
function maxFailedOf(text: string): number {
  const given = text.trim();
  if (given === 'no limit') return -1;
  return given.endsWith('%') ? fraction(given.slice(0, -1)) : Number(given);
}

/** Returns a percentage as a fraction, without the noise of binary fractions. */
const fraction = (percent: number | string) => Number((Number(percent) / 100).toPrecision(12));

function approveOf({ approve, querySet, timeout, onTimeout, onReject }: Draft): ReindexRequest['approve'] {
  if (approve === 'auto') return approve;
  const person = {
    ...(timeout !== '' && { timeout, onTimeout }),
    ...(onReject !== 'keep' && { onReject }),
  };
  if (approve === 'manual') return Object.keys(person).length > 0 ? person : approve;
  return { querySet, ...(approve === 'verdictAndPerson' && { onGo: 'wait', onNoGo: 'wait' }), ...person };
}

function readsOf({ shadow, canary }: Draft): Pick<ReindexRequest, 'shadow' | 'canary'> {
  return {
    ...(Number(shadow) !== 0 && { shadow: fraction(shadow) }),
    ...(Number(canary) !== 0 && { canary: fraction(canary) }),
  };
}

function watchOf(draft: Draft): ReindexRequest['watch'] {
  const { watchFor, emptyShare, errorShare, latencyP95Ratio, minSearches } = draft;
  const shares = Object.entries({ emptyShare, errorShare }).filter(([, value]) => value !== '');
  return {
    for: watchFor,
    rollBackIf: {
      ...Object.fromEntries(shares.map(([name, value]) => [name, fraction(value)])),
      ...numbersOf({ latencyP95Ratio, minSearches }),
    },
  };
}
