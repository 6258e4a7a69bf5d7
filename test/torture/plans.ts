import type { Decision } from '../../src/contract/approval.ts';
import type { ModelInput } from '../../src/contract/models.ts';
import type { ReadShares } from '../../src/contract/read-shares.ts';
import type { ReindexRequest } from '../../src/contract/task-bodies.ts';
import type { Random } from './random.ts';
import { OPENAI_DIMENSIONS } from './system.ts';

/** The attack on a reindex while it runs. */
export const ATTACKS = [
  'none',
  'cancel',
  'cancelThenRestart',
  'terminate',
  'pause',
  'throttle',
  'rival',
  'moveByHand',
  'ignore',
] as const;
export type Attack = (typeof ATTACKS)[number];

export const TURNS = ['none', 'byHand', '1', '2', '3'] as const;

export interface ReindexPlan {
  attack: Attack;
  /** Time after its start. */
  attackMs: number;
  /** Rebuilds into an existing index, if there is one. */
  back: boolean;
  /** Rebuilds into this index. */
  dest?: string | undefined;
  /** How often a retired index that is kept current is rolled back to, and forward again; `2`: back and forward. */
  turns: (typeof TURNS)[number];
  /** Whether the task that keeps an index current is canceled after that. */
  endsKeeping: boolean;
  /** The decision of a person, for a reindex that waits for it. */
  decision: Decision | null;
  /** How long it waits for that at least. */
  decisionMs: number;
  /** Shares of the searches that the new index gets too: the first ones at the start, the others while it runs. */
  shares: readonly ReadShares[];
  /** Calls of its model that it may use at first; for a model without calls, this limits nothing. */
  maxCalls: number | null;
  fresh: Pick<ReindexRequest, 'destModel' | 'destSplitter' | 'destAverage'>;
  options: Partial<ReindexRequest>;
}

/** Chooses each attack occasionally, and some reindexes without one. */
export function* planReindexes(random: Random, embeddingUrl: string): Generator<ReindexPlan> {
  const attacks: Attack[] = ['none', 'none', 'none', ...ATTACKS];
  for (;;) {
    for (const attack of random.shuffled(attacks)) yield planOne(random, attack, embeddingUrl);
  }
}

function planOne(random: Random, attack: Attack, embeddingUrl: string): ReindexPlan {
  const retire = random.weighted({ never: 35, now: 20, soon: 10, mirror: 35 });
  const decision = attack === 'none' && random.chance(0.25) ? 'reject' : random.chance(0.2) ? 'approve' : null;
  const shares = sharesOf(random.fork('shares'), { decision, isMirrored: retire === 'mirror' });
  const maxCalls = random.fork('budget').chance(0.65) ? 2 + random.fork('calls').below(12) : null;
  return {
    attack,
    ...{ decisionMs: shares.length > 0 ? 4_000 : 0, shares, maxCalls },
    attackMs: random.between(200, 6_000),
    back: random.chance(0.55),
    turns: random.weighted({ none: 20, byHand: 20, '1': 25, '2': 20, '3': 15 }),
    endsKeeping: random.chance(0.5),
    decision,
    fresh: {
      destModel: modelOf(random, embeddingUrl),
      destSplitter: { chunkSize: random.pick([120, 200, 2_000]), chunkOverlap: random.pick([0, 20]) },
      destAverage: random.chance(0.5),
    },
    options: {
      concurrency: random.pick([1, 3, 8, 12]), // up to four batches of one slice at once, then more slices
      batchSize: 20 + random.below(40),
      waitSeconds: 1 + random.below(2),
      lockSeconds: 10 + random.below(6),
      drainSeconds: random.pick([0.3, 1, 3]),
      ratePerSecond: random.chance(0.4) ? 200 + random.below(300) : undefined,
      ...(decision && { approve: 'manual' }),
      ...shares[0],
      ...(maxCalls !== null && { budget: { calls: maxCalls } }),
      retire: retire === 'soon' ? { after: '4s' } : retire === 'mirror' ? { after: '9s', keepCurrent: true } : retire,
    },
  };
}

/** Chooses shares to set one after the other; none where they would be refused. */
function sharesOf(random: Random, plan: { decision: Decision | null; isMirrored: boolean }): ReadShares[] {
  const mayHaveCanary = plan.decision !== null;
  if ((!mayHaveCanary && !plan.isMirrored) || random.chance(0.2)) return [];
  const some = Array.from({ length: 2 + random.below(5) }, () => ({
    shadow: random.pick([0, 0.3, 1]),
    canary: mayHaveCanary ? random.pick([0, 0.3, 1]) : 0,
  }));
  return random.chance(0.5) ? [...some, { shadow: 0, canary: 0 }] : some;
}

export function modelOf(random: Random, embeddingUrl: string): ModelInput {
  const kind = random.weighted({ openai: 50, hash32: 25, hash48: 25 });
  if (kind === 'openai') return modelOfServer(embeddingUrl);
  return { provider: 'hash', dimensions: kind === 'hash32' ? 32 : 48 };
}

/** Max time of a call, short enough to detect a provider that hangs within the run. */
const MODEL_TIMEOUT_MS = 4_000;

/** A model that answers in 50 ms. */
export function modelOfServer(embeddingUrl: string): ModelInput {
  return {
    ...{ provider: 'openai', name: 'slow', dimensions: OPENAI_DIMENSIONS, baseUrl: embeddingUrl },
    timeoutMs: MODEL_TIMEOUT_MS,
  };
}
