import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { createClient, type ReembedClient } from '../../src/client/client.ts';
import { readNounGlosses } from '../../src/runtime/tour/corpus.ts';
import { resolveIndex } from '../../src/store/indexes.ts';
import { planSlices, SLICES } from '../../src/store/protocol/slices.ts';
import type { BenchDatabase } from '../database.ts';
import { piecesOf } from '../model-server.ts';
import { type BenchProcesses, startProcesses } from '../processes.ts';
import { reindexTimes } from '../reindex-times.ts';
import { type Actions, readActions } from './actions.ts';
import { measureBuild } from './build.ts';
import { diskOf, walOf } from './disk.ts';
import type { Measured } from './quantities.ts';

const SINGLES = 100;
const CONCURRENCY = 4;
const MIB = 2 ** 20;
const SETTINGS = { REEMBED_INDEX_MEMORY_MB: '1000' };

interface Place {
  database: BenchDatabase;
  /** Base URL of the model. */
  modelUrl: string;
  dimensions: number;
  say: (line: string) => void;
}

/** Starts an API and a worker, and measures what indexes of these sizes take, one after the other. */
export async function measureSizes(place: Place, sizes: readonly number[]): Promise<Measured[]> {
  const { database, say } = place;
  const system = await startProcesses({ api: ['api'], worker: ['worker'] }, database.url, SETTINGS, say);
  const connection = await Connection.connect({ address: system.temporalAddress });
  try {
    const temporal = new Client({ connection });
    const measurement = new Measurement(place, system, temporal, createClient({ baseUrl: system.url }));
    const measured: Measured[] = [];
    for (const size of sizes) {
      say(`${size} objects`);
      system.resetPeaks();
      measured.push(await measurement.all(size));
    }
    return measured;
  } finally {
    await connection.close();
    await system.stop();
  }
}

/** Returns as many definitions, from all of WordNet. */
function textsOf(count: number): string[] {
  const all = readNounGlosses(1).map(({ words, gloss }) => `${words.join(', ')}: ${gloss}`);
  if (count > all.length) throw new RangeError(`--sizes: WordNet has ${all.length} definitions, not ${count}`);
  return Array.from({ length: count }, (_, at) => all[Math.floor((at * all.length) / count)] as string);
}

/** Writes, copies and builds indexes of definitions of WordNet. */
class Measurement {
  private readonly place: Place;
  private readonly system: BenchProcesses<'api' | 'worker'>;
  private readonly temporal: Client;
  private readonly reembed: ReembedClient;

  constructor(place: Place, system: BenchProcesses<'api' | 'worker'>, temporal: Client, reembed: ReembedClient) {
    this.place = place;
    this.system = system;
    this.temporal = temporal;
    this.reembed = reembed;
  }

  async all(size: number): Promise<Measured> {
    const { dimensions, modelUrl, database } = this.place;
    const { db } = database;
    const texts = textsOf(size);
    const [source, dest] = [`source-${size}`, `dest-${size}`];
    const model = { provider: 'openai' as const, name: 'bench', dimensions, baseUrl: modelUrl };
    await this.reembed.indexes.create(source, { model, vectorIndex: { kind: 'none' } });

    const written = await this.counted(async (taskId) => {
      const items = texts.map((payload, at) => ({ id: idOf(at), payload }));
      await this.reembed.tasks.upsertStream(source, items, { taskId });
    });
    const single = await this.single(source);
    const { no } = await resolveIndex(db, source);
    const planMs = await timed(() => planSlices(db, no, { ...SLICES, lanes: CONCURRENCY }));
    const copied = await this.counted(async (taskId) => {
      const settings = { destModel: model, destVectorIndex: { kind: 'hnsw' as const }, indexBuild: 'after' as const };
      await this.reembed.tasks.reindex({ taskId, source, dest, ...settings });
    });
    const times = await reindexTimes(this.temporal, copied.taskId);
    const index = await resolveIndex(db, dest);
    const build = await measureBuild(database.url, index);
    const disk = await diskOf(db, index.no);
    const peaks = this.system.peaks();
    return {
      size,
      single,
      figures: {
        ...{ objectsTable: disk.objects.table, objectsToast: disk.objects.toast },
        ...{ objectsIndexes: disk.objects.indexes, hnsw: disk.hnsw },
        ...{ partsTable: disk.parts.table, partsToast: disk.parts.toast, partsIndexes: disk.parts.indexes },
        ...{ writeWal: written.wal, copyWal: copied.wal - build.wal, buildWal: build.wal },
        ...{ buildSeconds: build.seconds, buildMemory: build.memory },
        ...{ planSeconds: planMs / 1_000, copySeconds: times.copySeconds, verifySeconds: times.verifySeconds },
        ...{ reindexSeconds: times.wholeSeconds, reindexEvents: times.events, reindexHistory: times.bytes },
        ...{ reindexActions: copied.actions.others, reindexHeartbeats: copied.actions.heartbeats },
        ...{ writeActions: written.actions.others, writeEvents: written.events },
        tokens: texts.reduce((sum, text) => sum + piecesOf(text), 0),
        ...{ apiMemory: peaks.api * MIB, workerMemory: peaks.worker * MIB },
      },
    };
  }

  /** Runs one task, which `start` starts, to its end. */
  private async counted(start: (taskId: string) => Promise<void>) {
    const taskId = `costs-${randomUUID()}`;
    let events = { length: 0, bytes: 0 };
    const { wal, actions } = await this.measured(async () => {
      await start(taskId);
      events = await this.endOf(taskId);
    });
    return { taskId, wal, actions, events: events.length, history: events.bytes };
  }

  private async single(index: string): Promise<Measured['single']> {
    const sum = { events: 0, history: 0 };
    const { wal, actions } = await this.measured(async () => {
      for (let at = 0; at < SINGLES; at++) {
        const taskId = `costs-${randomUUID()}`;
        await this.reembed.tasks.upsert({ taskId, index, items: [{ id: idOf(at), payload: `changed ${at}` }] });
        const { length, bytes } = await this.endOf(taskId);
        sum.events += length;
        sum.history += bytes;
      }
    });
    const all = actions.others + actions.heartbeats;
    return { wal: wal / SINGLES, actions: all / SINGLES, events: sum.events / SINGLES, history: sum.history / SINGLES };
  }

  private async measured(work: () => Promise<void>): Promise<{ wal: number; actions: Actions }> {
    const before = await readActions(this.system.temporalMetricsUrl);
    const wal = await walOf(this.place.database.db, work);
    const after = await readActions(this.system.temporalMetricsUrl);
    const [others, heartbeats] = [after.others - before.others, after.heartbeats - before.heartbeats];
    return { wal, actions: { others, heartbeats } };
  }

  /** Waits for the end of a task without an action that counts; returns the size of its history. */
  private async endOf(taskId: string): Promise<{ length: number; bytes: number }> {
    const handle = this.temporal.workflow.getHandle(taskId);
    const tracker = (await handle.result()) as { status: string; detail?: string };
    if (tracker.status !== 'done') throw new Error(`${taskId} is ${tracker.status}: ${tracker.detail}`);
    const { historyLength, historySize = 0 } = await handle.describe();
    return { length: historyLength, bytes: historySize };
  }
}

const idOf = (at: number) => `object-${String(at).padStart(9, '0')}`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}
