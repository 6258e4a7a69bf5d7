import { type ClientContext, type Probe, runClient, runProber } from './clients.ts';
import type { ReindexPlan } from './plans.ts';
import type { Random } from './random.ts';
import type { Reindexer } from './reindexer.ts';

const CLIENTS = 3;

/**
 * Reindexes with nothing going wrong, while a few clients write and one measures: what a cut-over costs writers. The
 * last one is into a new index, whose content is then compared.
 */
export async function runCalm(
  context: ClientContext,
  random: Random,
  reindexer: Reindexer,
  plans: Iterator<ReindexPlan>,
): Promise<{ probes: Probe[]; problems: string[] }> {
  const stop = new AbortController();
  const calm = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const probes: Probe[] = [];
  const problems: string[] = [];
  const writers = Promise.all([
    ...Array.from({ length: CLIENTS }, (_, at) => runClient(calm, `q${at}`, random.fork(`calm ${at}`))),
    runProber(calm, 'quiet', probes),
  ]);
  try {
    for (const back of [false, true, false]) {
      const plan = plans.next().value as ReindexPlan;
      const options = { ...plan.options, ratePerSecond: undefined, retire: 'never' as const };
      const end = await reindexer.one({ ...plan, attack: 'none', back, rollBack: false, options }, calm.signal);
      if (end.status !== 'done') problems.push(`a reindex in calm ended ${end.status}: ${end.detail}`);
    }
  } finally {
    stop.abort();
    await writers;
  }
  return { probes, problems };
}
