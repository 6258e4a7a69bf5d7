import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../src/client/client.ts';
import type { Tracker } from '../src/contract/tasks.ts';
import { buildVectorIndex } from '../src/store/vector-index.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare } from './harness.ts';
import { LIVE_COMMANDS, LIVE_METRICS, type LiveName, type LivePlace, liveLoad, SEARCH, whileMs } from './live-load.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { startModelServer } from './model-server.ts';
import { givenObjects } from './objects.ts';
import { startProcesses } from './processes.ts';

const DIMENSIONS = 384;
const POLL_MS = 5;

export const live: Benchmark = {
  about: 'writes and searches during a reindex, against the same without one',
  options: {
    objects: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '10' },
    delay: { type: 'string', default: '20' },
    rate: { type: 'string', default: '0' },
    during: { type: 'string', default: 'copy' },
  },
  async run({ runs, options, say }) {
    const forMs = Number(options.seconds) * 1_000;
    const delayMs = Number(options.delay);
    const phase = phaseOf(String(options.during));
    const { db, url, close } = await openBenchDatabase({ connections: 100, say });
    const model = await startModelServer(DIMENSIONS, delayMs);
    const system = await startProcesses(LIVE_COMMANDS, url, {}, say);
    const reembed = createClient({ baseUrl: system.url });
    try {
      const source = await givenObjects(db, 'source', Number(options.objects), DIMENSIONS);
      say('builds the HNSW index of the source');
      await buildVectorIndex(db, source, { memoryMb: 1_000 });
      const place = { reembed, db, source };
      const ratePerSecond = Number(options.rate) || undefined;
      const rate = ratePerSecond === undefined ? 'as fast as it can' : `at ${ratePerSecond}/s`;
      const when = phase === 'index' ? ', while the HNSW index is built' : '';
      const plan = {
        title: `a writer and a searcher, ${options.objects} objects copied ${rate}, model that answers in ${delayMs} ms${when}`,
        metrics: LIVE_METRICS,
        candidate: duringReindex(place, { ratePerSecond, modelUrl: model.url, phase, forMs, say }),
        baseline: { name: 'without', run: () => liveLoad(place, whileMs(forMs)) },
      };
      return {
        comparisons: [await compare(plan, { runs, say })],
        versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.temporalAddress)) },
      };
    } finally {
      await system.stop();
      model.stop();
      await close();
    }
  },
};

type Phase = 'copy' | 'index';

function phaseOf(during: string): Phase {
  if (during !== 'copy' && during !== 'index') throw new Error('--during is copy, or index for the build of HNSW');
  return during;
}

function isIn(phase: Phase, { data, children }: Tracker): boolean {
  return data.phase === phase && (phase === 'index' || (children.processing ?? 0) > 0);
}

/** Measures while objects are copied, or while the HNSW index is built; then cancels the reindex. */
function duringReindex(
  place: LivePlace,
  options: {
    ratePerSecond: number | undefined;
    modelUrl: string;
    phase: Phase;
    forMs: number;
    say: (line: string) => void;
  },
): Contender<LiveName> {
  const { reembed, source } = place;
  const { ratePerSecond, modelUrl, phase, forMs, say } = options;
  return {
    name: 'during a reindex',
    async run() {
      const dest = `dest-${randomUUID()}`;
      const destModel = { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: modelUrl } as const;
      const { id } = await reembed.tasks.reindex({ source: source.name, ratePerSecond, dest, destModel });
      const tracker = () => reembed.tasks.info(id);
      while (!isIn(phase, await tracker())) {
        // A build checks for live work when it starts.
        if (phase === 'index') await reembed.search(source.name, SEARCH);
        await sleep(POLL_MS);
      }
      const copied = async () => (await reembed.indexes.get(dest)).objects;
      const before = await copied();
      const figures = await liveLoad(place, whileMs(forMs));
      if (phase === 'copy') {
        say(`${Math.round(((await copied()) - before) / (forMs / 1_000))} objects/s were copied meanwhile`);
      }
      const last = await tracker();
      if (last.data.phase !== phase || (phase === 'copy' && last.progress.done >= last.progress.total)) {
        throw new Error(`the reindex was over before the measuring: give more --objects`);
      }
      await reembed.tasks.cancel(id);
      await reembed.tasks.deleteIndex({ index: dest }, { wait: true });
      return figures;
    },
  };
}
