import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from 'simple-statistics';
import { createClient, type ReembedClient } from '../src/client/client.ts';
import { buildVectorIndex } from '../src/store/vector-index.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Figures, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { givenObjects } from './objects.ts';
import { startProcesses } from './processes.ts';

const DIMENSIONS = 384;
const METRICS = [
  { name: 'search, p50', unit: 'ms', better: 'lower' },
  { name: 'search, p95', unit: 'ms', better: 'lower' },
  { name: 'write, p50', unit: 'ms', better: 'lower' },
  { name: 'write, p95', unit: 'ms', better: 'lower' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const COMMANDS = { api: ['api'], control: ['worker', '--role', 'control'], embed: ['worker', '--role', 'embed'] };
const SEARCHERS = 2;
/** Pause between the calls of one client, so that their number does not depend on how fast they are answered. */
const PAUSE_MS = 25;
const POLL_MS = 100;
const ALIAS = 'live';

export const reads: Benchmark = {
  about: 'searches and writes with shadow and canary reads, against the same without',
  options: {
    objects: { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '15' },
    shadow: { type: 'string', default: '0.05' },
    canary: { type: 'string', default: '0.05' },
  },
  async run({ runs, options, say }) {
    const forMs = Number(options.seconds) * 1_000;
    const shares = { shadow: Number(options.shadow), canary: Number(options.canary) };
    const { db, url, close } = await openBenchDatabase({ connections: 100, say });
    const system = await startProcesses(COMMANDS, url, {}, say);
    const reembed = createClient({ baseUrl: system.url });
    try {
      const source = await givenObjects(db, 'source', Number(options.objects), DIMENSIONS);
      say('builds the HNSW index of the source');
      await buildVectorIndex(db, source, { memoryMb: 1_000 });
      await reembed.aliases.set(ALIAS, source.name);
      // The same kind of model: a slower one makes its own answers slower, whatever the share.
      const destModel = { provider: 'hash', dimensions: DIMENSIONS } as const;
      const body = { source: ALIAS, dest: 'dest', destModel, approve: 'manual' } as const;
      const { id } = await reembed.tasks.reindex(body);
      say('waits until the new index is complete');
      while ((await reembed.tasks.info(id)).data.approval === undefined) await sleep(POLL_MS);
      const comparison = await compare(
        {
          title: `${SEARCHERS} searchers and a writer, ${options.objects} objects, shadow ${shares.shadow}, canary ${shares.canary}`,
          metrics: METRICS,
          candidate: withShares('with both', reembed, id, shares, forMs),
          baseline: withShares('without', reembed, id, { shadow: 0, canary: 0 }, forMs),
        },
        { runs, say },
      );
      say(JSON.stringify(await reembed.tasks.reads(id)));
      return {
        comparisons: [comparison],
        versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.temporalAddress)) },
      };
    } finally {
      await system.stop();
      await close();
    }
  },
};

function withShares(
  name: string,
  reembed: ReembedClient,
  taskId: string,
  shares: { shadow: number; canary: number },
  forMs: number,
): Contender<Name> {
  return {
    name,
    async run() {
      await reembed.tasks.setReads(taskId, shares);
      return measure(reembed, forMs);
    },
  };
}

async function measure(reembed: ReembedClient, forMs: number): Promise<Figures<Name>> {
  const endMs = performance.now() + forMs;
  const took = { search: [] as number[], write: [] as number[] };
  const repeat = async (times: number[], work: () => Promise<unknown>) => {
    while (performance.now() < endMs) {
      const startMs = performance.now();
      await work();
      times.push(performance.now() - startMs);
      await sleep(PAUSE_MS);
    }
  };
  const search = () => reembed.search(ALIAS, { text: `words about ${randomUUID()}`, limit: 10 });
  const write = () => {
    const id = randomUUID();
    return reembed.tasks.upsert({ index: ALIAS, items: [{ id, payload: `${id} some words` }] }, { wait: true });
  };
  const searchers = Array.from({ length: SEARCHERS }, () => repeat(took.search, search));
  await Promise.all([...searchers, repeat(took.write, write)]);
  return {
    'search, p50': quantile(took.search, 0.5),
    'search, p95': quantile(took.search, 0.95),
    'write, p50': quantile(took.write, 0.5),
    'write, p95': quantile(took.write, 0.95),
  };
}
