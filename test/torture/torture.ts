import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { createClient } from '../../src/client/client.ts';
import { CallLog, insist } from './accept.ts';
import { runCalm } from './calm.ts';
import { planStrikes, runChaos } from './chaos.ts';
import { check } from './check.ts';
import { ALIAS, type ClientContext, runClient, send } from './clients.ts';
import { corpus } from './content.ts';
import { DrainWatch } from './drains.ts';
import { withDrills } from './drills.ts';
import { tellHistories } from './history.ts';
import { Oracle } from './oracle.ts';
import { planReindexes } from './plans.ts';
import { runProbes } from './probes.ts';
import { Provider } from './provider.ts';
import { Random } from './random.ts';
import { Reindexer } from './reindexer.ts';
import { type Result, resultOf } from './result.ts';
import { runSearcher } from './searcher.ts';
import { settle } from './settle.ts';
import { Side } from './side/side.ts';
import { checkStops } from './stops/stops.ts';
import { System } from './system.ts';

export interface TortureOptions {
  seconds: number;
  seed: number;
  clients?: number;
  /** Number of initial objects. */
  objects?: number;
  /** Number of processes stopped at a point of their work at the end, to measure who waits: see `checkStops`. */
  stops?: number;
  say: (line: string) => void;
  /** Aborts the run; everything is cleaned up. */
  signal?: AbortSignal;
}

const SETTLE_MS = 150_000;
/** The calm part at the end has one cut-over per this many seconds of the run: about 16 writes meet each. */
const CALM_SECONDS_A_CUT_OVER = 7;
/** One stop per this many seconds of the run: two minutes give one of each kind. */
const SECONDS_A_STOP = 11;

/**
 * Runs the whole system as separate processes, with clients that write, reindexes, and servers that die, for a number
 * of seconds; then waits until all is calm and compares what serves with what was accepted.
 */
export async function torture(options: TortureOptions): Promise<Result> {
  const startMs = Date.now();
  const say = (line: string) => options.say(`${((Date.now() - startMs) / 1_000).toFixed(1).padStart(6)} ${line}`);
  const system = new System(say, { taps: true });
  let keepFolder = false;
  try {
    const result = await run(system, options, say);
    keepFolder = !result.ok;
    return result;
  } catch (error) {
    keepFolder = options.signal?.aborted !== true;
    throw error;
  } finally {
    if (keepFolder) say(`logs and data are in ${system.folder}`);
    await system.stop({ keepFolder });
  }
}

async function run(system: System, options: TortureOptions, say: (line: string) => void): Promise<Result> {
  const { seconds, seed, clients = 8, objects = 1_500 } = options;
  const { stops = Math.round(seconds / SECONDS_A_STOP) } = options;
  const random = new Random(seed);
  await system.start();
  say(`everything runs, the API at ${system.apiUrl}`);

  const api = createClient({ baseUrl: system.apiUrl });
  const provider = new Provider(system.provider, random.fork('provider'));
  const log = new CallLog();
  const oracle = new Oracle();
  const running = new AbortController();
  const signal = AbortSignal.any([running.signal, ...(options.signal ? [options.signal] : [])]);
  const runId = `t${seed}`;
  const context: ClientContext = { api, oracle, log, run: runId, objects, signal };
  await api.indexes.create('i0', {
    model: { provider: 'hash', dimensions: 32 },
    splitter: { chunkSize: 200, chunkOverlap: 20 },
  });
  await api.aliases.set(ALIAS, 'i0');
  await api.sampling.set(ALIAS, { share: 0.5 });
  const items = [...corpus(random.fork('corpus'), objects)];
  await send(context, { taskId: `${runId}-corpus`, client: 'corpus', kind: 'upsert', items, form: 'lines' }, true);
  say(`${objects} objects are there`);

  const side = new Side({ api, log, random: random.fork('side'), run: runId, say });
  await side.start();
  const db = new pg.Pool({ connectionString: system.databaseUrl, max: 2 });
  db.on('error', () => {});
  const drains = new DrainWatch(system.databaseUrl);
  await drains.start(db);
  const connection = Connection.lazy({ address: system.temporalAddress });
  const temporal = new Client({ connection });
  try {
    const reindexer = new Reindexer({ api, log, run: runId, temporal: () => temporal, say });
    const { embeddingUrl } = system;
    const plans = planReindexes(random.fork('reindexes'), embeddingUrl);
    const drills = random.fork('drills');
    const drilled = withDrills(plans, {
      ...{ counts: reindexer.counts, embeddingUrl },
      shuffled: (events) => drills.shuffled(events),
    });
    const probing = runProbes(context, 'probe', random.fork('probes'), drains);
    const searching = runSearcher(context, random.fork('searcher'));
    const parts = [
      searching,
      ...Array.from({ length: clients }, (_, at) => runClient(context, `c${at}`, random.fork(`client ${at}`))),
      probing,
      reindexer.loop(drilled, signal),
      side.run(signal),
    ];
    provider.misbehave();
    const chaos = runChaos(system, drains, planStrikes(random.fork('chaos'), seconds), say, signal);
    const busy = Promise.all(parts);
    await Promise.race([sleep(seconds * 1_000, undefined, { signal }), busy]).finally(() => running.abort());
    say('the time is over: waiting until all is calm');
    provider.behave();
    const chaosCounts = await chaos;
    await system.untilReady();
    await busy;
    const probes = await probing;
    options.signal?.throwIfAborted();

    await settle(api, log, oracle.writes, SETTLE_MS);
    say(`${oracle.writes.length} writes have ended; a few reindexes in calm`);
    const quiet = { ...context, signal: options.signal ?? new AbortController().signal };
    const calmFromMs = Date.now();
    const calm = await runCalm({
      ...{ context: quiet, random: random.fork('calm'), reindexer, plans, drains },
      ...{ embeddingUrl, seconds, cutOvers: Math.round(seconds / CALM_SECONDS_A_CUT_OVER) },
    });
    const problems = [...calm.problems, ...(await settle(api, log, oracle.writes, SETTLE_MS))];
    await drains.stop();
    say('processes are stopped at points of their work');
    const stopped = await checkStops({
      ...{ system, api, log, run: runId, random: random.fork('stops'), count: stops, say, signal: quiet.signal },
    });
    problems.push(...stopped.problems);

    const expected = oracle.expected();
    const checked = await check(api, log, db, expected, (text) => provider.vectorOf(text));
    const besides = await side.check(db, SETTLE_MS);
    problems.push(...besides.problems);
    const { objects: served } = checked;
    const findings = {
      ...checked.findings,
      lost: [...checked.findings.lost, ...besides.lost],
      stale: [...checked.findings.stale, ...besides.stale],
      resurrected: [...checked.findings.resurrected, ...besides.resurrected],
    };
    say(`${served} objects serve; ${checked.vectors} vectors were made once more`);
    const result = resultOf({
      ...{ seed, seconds, served, oracle, findings, reindexes: reindexer.counts, chaos: chaosCounts, log, system },
      byHand: side.counts,
      searches: await searching,
      stops: stopped.result,
      ...{ vectors: checked.vectors, faults: provider.faults },
      ...{ probes, calmProbes: calm.probes, drains: await drains.drains(db), calmFromMs, problems },
      leftOver: await leftOver(db),
    });
    if (!result.ok) {
      for (const problem of result.problems) say(problem);
      await tellHistories(db, oracle, expected, findings, options.say);
    }
    return result;
  } finally {
    running.abort();
    await drains.stop().catch(() => {});
    await db.end();
    await connection.close();
  }

  async function leftOver(pool: pg.Pool) {
    await insist(log, 'calm', () => api.indexes.list());
    const { rows } = await pool.query(`
      select
        (select count(*)::int from reembed.staged_items) as "stagedItems",
        (select count(*)::int from reembed.reindex_locks where not mirror and lock_expire_time > now()) as locks`);
    return rows[0] as { stagedItems: number; locks: number };
  }
}
