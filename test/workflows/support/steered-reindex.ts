import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect } from 'vitest';
import type { ReindexInput } from '../../../src/contract/workflow-inputs.ts';
import { listAliases } from '../../../src/store/aliases.ts';
import { type Db, transaction } from '../../../src/store/database.ts';
import { findIndex, resolveIndex } from '../../../src/store/indexes.ts';
import { streamObjects } from '../../../src/store/objects.ts';
import { storeObjects } from '../../../src/store/protocol/apply.ts';
import { readBehind } from '../../../src/store/protocol/copy.ts';
import { holdGatesExclusive } from '../../../src/store/protocol/gate.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { nextVersion } from '../../../src/store/protocol/versions.ts';
import type { IndexRow } from '../../../src/store/schema.ts';
import { content, writeIn } from '../../store/builders.ts';
import { openPostgresDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';
import { createSlowModel } from './slow-model.ts';

const [SOURCE_DIMENSIONS, DEST_DIMENSIONS] = [32, 16];
const OBJECTS = Array.from({ length: 30 }, (_, at) => `k${String(at).padStart(2, '0')}`);

/** A dev server, a Postgres and workers whose model for new indexes answers when the test allows it. */
export interface World {
  environment: TestWorkflowEnvironment;
  db: Db;
  rig: Rig;
  model: ReturnType<typeof createSlowModel>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  const model = createSlowModel(DEST_DIMENSIONS);
  const rig = await startRig({ environment, db: database.db, embedder: model.embedder });
  return {
    environment,
    db: database.db,
    rig,
    model,
    async close() {
      await rig.stop();
      await environment.teardown();
      await database.close();
    },
  };
}

function embedded(id: string, version: number, text: string, dimensions: number) {
  const embedding = Array.from({ length: dimensions }, (_, at) => 1 / (at + 1));
  const parts = [{ part: 0, start: 0, end: text.length, isAverage: false, embedding }];
  return content(id, version, { payload: text, text, parts });
}

let names = 0;

/** A serving index with thirty objects, an index to rebuild it into, and what the alias must serve at any time. */
export class Steered {
  readonly world: World;
  readonly source: IndexRow;
  readonly dest: IndexRow;
  readonly alias: string;
  /** By id; deleted objects are not there. */
  readonly expected: Map<string, string>;
  private reindex: WorkflowHandle | undefined;

  private constructor(world: World, source: IndexRow, dest: IndexRow, alias: string) {
    this.world = world;
    this.source = source;
    this.dest = dest;
    this.alias = alias;
    this.expected = new Map(OBJECTS.map((id, at) => [id, `text ${at} of the source`]));
  }

  /** The destination has one leftover object that the source does not have. */
  static async open(world: World): Promise<Steered> {
    const no = ++names;
    const source = await givenIndex(world.db, `source-${no}`, {
      alias: `alias-${no}`,
      config: { model: { provider: 'hash', dimensions: SOURCE_DIMENSIONS } },
    });
    const dest = await givenIndex(world.db, `dest-${no}`, {
      config: { model: { provider: 'hash', dimensions: DEST_DIMENSIONS } },
    });
    const steered = new Steered(world, source, dest, `alias-${no}`);
    const items = [...steered.expected].map(([id, payload]) => ({ id, payload }));
    await world.rig.run('upsert', { index: source.name, items });
    await world.rig.run('upsert', { index: dest.name, items: [{ id: 'left-over', payload: 'of an earlier life' }] });
    return steered;
  }

  /** Ten objects are embedded together, so that copying takes three batches, one after the other. */
  async start(input: Partial<ReindexInput>): Promise<WorkflowHandle> {
    this.reindex = await this.world.rig.start('reindex', {
      source: this.alias,
      dest: this.dest.name,
      destExisting: 'replace',
      batchSize: 10,
      concurrency: 1,
      ...input,
    });
    return this.reindex;
  }

  get handle(): WorkflowHandle {
    if (!this.reindex) throw new Error('the reindex was not started');
    return this.reindex;
  }

  /** Changes, adds and deletes an object, as users do; resolves when all are written. */
  async write(): Promise<void> {
    const { rig } = this.world;
    const items = [
      { id: 'k01', payload: 'changed meanwhile' },
      { id: 'z-new', payload: 'added meanwhile' },
    ];
    const trackers = await Promise.all([
      rig.run('upsert', { index: this.alias, items }),
      rig.run('delete', { index: this.alias, ids: ['k02'] }),
    ]);
    const wrong = trackers.filter(({ status, data }) => status !== 'done' || data.failed !== 0);
    if (wrong.length > 0) throw new Error(`a write failed: ${JSON.stringify(wrong)}`);
    for (const { id, payload } of items) this.expected.set(id, payload);
    this.expected.delete('k02');
  }

  /** A write whose worker died before it could forward it. */
  async writeWithoutForward(id: string, text: string): Promise<void> {
    const { db } = this.world;
    await writeIn(db, this.source, [embedded(id, await nextVersion(db), text, SOURCE_DIMENSIONS)]);
    this.expected.set(id, text);
  }

  /** A copy in the destination of an object whose deletion the source has forgotten. */
  async copyOfForgotten(id: string): Promise<void> {
    const { db } = this.world;
    const copy = embedded(id, await nextVersion(db), 'forgotten by the source', DEST_DIMENSIONS);
    await transaction(db, (trx) => storeObjects(trx, this.dest.no, [copy], this.source.no));
  }

  /** The name of the serving index. */
  async serving(): Promise<string | undefined> {
    return (await listAliases(this.world.db)).find(({ alias }) => alias === this.alias)?.index;
  }

  /** What the alias serves, by id. */
  async served(): Promise<Map<string, unknown>> {
    const { db } = this.world;
    const served = new Map<string, unknown>();
    for await (const { id, payload } of streamObjects(db, await resolveIndex(db, this.alias))) served.set(id, payload);
    return served;
  }

  /** Locks of the reindex, after everything that was waiting for the gates got them. */
  async locks() {
    const { db } = this.world;
    await transaction(db, (trx) => holdGatesExclusive(trx, this.source.no, this.dest.no));
    return (await listLocks(db)).filter(({ taskId }) => taskId === this.handle.workflowId);
  }

  /** Number of objects and tombstones that the destination lacks or has older. */
  async behind(): Promise<number> {
    const pair = { sourceNo: this.source.no, destNo: this.dest.no };
    return (await readBehind(this.world.db, pair, { after: null, until: null }, 1_000)).objects.length;
  }

  async isSourceThere(): Promise<boolean> {
    return (await findIndex(this.world.db, this.source.name))?.state === 'active';
  }
}

/** The reindex has ended as intended, and nothing is lost. */
export async function expectDone(steered: Steered) {
  expect(await endOf(steered.handle)).toMatchObject({ status: 'done', attempts: 1, errors: [] });
  expect(await steered.serving()).toBe(steered.dest.name);
  expect(await steered.served()).toEqual(steered.expected);
  expect(await steered.locks()).toEqual([]);
}
