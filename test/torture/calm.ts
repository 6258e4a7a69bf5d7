import { type ClientContext, runClient } from './clients.ts';
import type { DrainWatch } from './drains.ts';
import { drillFor, missingEvents } from './drills.ts';
import type { ReindexPlan } from './plans.ts';
import { modelOfServer } from './plans.ts';
import { type Probe, runProbes } from './probes.ts';
import type { Random } from './random.ts';
import type { Reindexer } from './reindexer.ts';
import { runSearcher } from './searcher.ts';

const CLIENTS = 3;
/** Max tries to make up for events that the time did not suffice for. */
const MAX_DRILLS = 6;

interface Calm {
  context: ClientContext;
  random: Random;
  reindexer: Reindexer;
  plans: Iterator<ReindexPlan>;
  drains: DrainWatch;
  embeddingUrl: string;
  /** Ends after this number of cut-overs or seconds, but not before three cut-overs. */
  cutOvers: number;
  seconds: number;
}

/**
 * Reindexes without faults, while a few clients write and others measure what a cut-over costs writers: first those that
 * bring about the events that have not happened yet; then with a model that answers in 50 ms into two new indexes, back and
 * forth between them for many cut-overs, and last into another new index, whose content is then compared.
 */
export async function runCalm(parts: Calm): Promise<{ probes: Probe[]; problems: string[] }> {
  const { context, random, reindexer, plans } = parts;
  const stop = new AbortController();
  const calm = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const problems: string[] = [];
  const measured = runProbes(calm, 'quiet', random.fork('probes'), parts.drains);
  const writers = Promise.all([
    measured,
    runSearcher(calm, random.fork('searcher')),
    ...Array.from({ length: CLIENTS }, (_, at) => runClient(calm, `q${at}`, random.fork(`calm ${at}`))),
  ]);
  const rebuild = async (dest?: string): Promise<string> => {
    const plan = plans.next().value as ReindexPlan;
    const fresh = { ...plan.fresh, destModel: modelOfServer(parts.embeddingUrl) };
    // It may wait until an index that an earlier reindex keeps current is deleted.
    const options = { concurrency: 2, batchSize: 50, lockSeconds: 15, waitSeconds: 1 };
    const calmly = {
      ...plan,
      attack: 'none',
      back: false,
      turns: 'none',
      decision: null,
      shares: [],
      dest,
      fresh,
      options,
    } as const;
    const end = await reindexer.one(calmly, calm.signal);
    if (end.status !== 'done') problems.push(`a reindex in calm ended ${end.status}: ${end.detail}`);
    return String(end.data.dest);
  };
  try {
    await makeUp(parts, calm.signal);
    const endMs = Date.now() + parts.seconds * 1_000;
    let [other, serving] = [await rebuild(), await rebuild()];
    for (let left = parts.cutOvers - 3; left > 0 && Date.now() < endMs && problems.length === 0; left--) {
      [other, serving] = [serving, await rebuild(other)];
    }
    await rebuild();
  } finally {
    stop.abort();
    await writers;
  }
  return { probes: await measured, problems };
}

/** Brings about the events that have not happened yet. */
async function makeUp({ reindexer, plans, embeddingUrl }: Calm, signal: AbortSignal): Promise<void> {
  for (let left = MAX_DRILLS; left > 0 && !signal.aborted; left--) {
    const missing = missingEvents(reindexer.counts);
    if (missing.length === 0) return;
    reindexer.say(`events to make up for: ${missing.join(', ')}`);
    await reindexer.one(drillFor(missing, plans.next().value as ReindexPlan, embeddingUrl), signal);
  }
}
