import { sql } from 'kysely';
import { ReembedError } from '../../src/contract/errors.ts';
import { setAlias } from '../../src/store/aliases.ts';
import type { Db } from '../../src/store/database.ts';
import { findIndexByNo } from '../../src/store/indexes.ts';
import { readTables, tablesOf } from '../../src/store/partitions.ts';
import { storedHashes } from '../../src/store/protocol/live-write.ts';
import type { ObjectWrite } from '../../src/store/protocol/object-write.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { content, createIndex, partsOf, uniqueName } from '../store/builders.ts';
import type { Steps } from './steps.ts';

export const KEYS = ['a', 'b', 'c', 'd', 'e'];

/** Each object keeps one original: a copy of a copy, a second copy, and objects without an original. */
export const ORIGINALS: Readonly<Record<string, string | null>> = { a: null, b: 'a', c: 'b', d: 'a', e: null };

/** What happens in a world besides writes and reindexes. */
export interface Nature {
  /** Clients give the versions, counted separately for each object. */
  isExternal: boolean;
  /** Objects are derived from each other as `ORIGINALS` says. */
  isDerived: boolean;
  /** Two aliases serve. */
  hasTwoAliases: boolean;
}

/** What a task was accepted with for one object. */
export interface Accepted {
  /** The alias or index that the task names, and the number of the index; null for an alias. */
  via: string;
  indexNo: number | null;
  id: string;
  version: number;
  text: string | null;
  /** `must`: has to be served. `may`: the task reported it as failed. `trial`: written to a destination directly. */
  serves: 'must' | 'may' | 'trial';
}

export type Event =
  | 'cut-over'
  | 'alias moved'
  | 'alias not moved'
  | 'rolled back'
  | 'not rolled back'
  | 'destination refused'
  | 'destination replaced'
  | 'lock lost'
  | 'second start'
  | 'collected'
  | 'beyond retention'
  | 'not embedded'
  | 'overtaken'
  | 'namesake refused';

export interface World {
  db: Db;
  steps: Steps;
  nature: Nature;
  aliases: string[];
  /** Indexes that may serve: the first one serves, the second one is spare, reindexes create others. */
  indexes: IndexRow[];
  /** An index that is written to by its name, deleted and created again. */
  side: IndexRow;
  accepted: Accepted[];
  /** By object, the last version that its client has given. */
  clientVersions: Map<string, number>;
  /** Destinations with their own content. */
  trials: Set<number>;
  /** Errors found during the run. */
  wrong: string[];
  events: Map<Event, number>;
}

/** Points where a process that runs the protocol can stop for others, or die: around each of its transactions. */
export type Pause = (where: string) => Promise<'go' | 'die'>;

/** Thrown where a process has to die. Within a transaction, this undoes it. */
export class ProcessDied extends Error {}

export async function createWorld(db: Db, steps: Steps, nature: Nature): Promise<World> {
  const world: World = {
    ...{ db, steps, nature, aliases: [], indexes: [], accepted: [], wrong: [] },
    side: await createIndex(db, { name: uniqueName('side') }),
    clientVersions: new Map(KEYS.map((key, at) => [key, 100 * (at + 1)])),
    trials: new Set(),
    events: new Map(),
  };
  const first = await addIndex(world);
  await addIndex(world);
  for (const name of nature.hasTwoAliases ? ['live', 'also'] : ['live']) {
    const alias = uniqueName(name);
    await setAlias(db, alias, first.name);
    world.aliases.push(alias);
  }
  return world;
}

export function note(world: World, event: Event): void {
  world.events.set(event, (world.events.get(event) ?? 0) + 1);
}

/** A new index in which the database itself checks that no version decreases. */
export async function addIndex(world: World): Promise<IndexRow> {
  const { db, nature } = world;
  const index = await createIndex(db, { versioning: nature.isExternal ? 'external' : 'internal' });
  await sql`
    create trigger never_older before update on ${tablesOf(index.no).objects}
    for each row execute function never_older()`.execute(db);
  world.indexes.push(index);
  return index;
}

/** Functions by which the database itself refuses what the invariants I3 and I4 exclude. */
export async function watchInvariants(db: Db): Promise<void> {
  await sql`
    create function never_older() returns trigger language plpgsql as $$
    begin
      if new.version < old.version then raise exception 'I3: the version of % decreases', old.object_id; end if;
      return new;
    end $$`.execute(db);
  await sql`
    create function has_all() returns trigger language plpgsql as $$
    declare lost text;
    begin
      execute format(
        'select min(s.object_id) from reembed.objects_%s s left join reembed.objects_%s d using (object_id)
         where (d.version is null and not s.deleted) or d.version < s.version', old.index_no, new.index_no)
      into lost;
      if lost is not null then raise exception 'I4: % is lost by the switch', lost; end if;
      return new;
    end $$`.execute(db);
  await sql`
    create trigger has_all before update on reembed.aliases
    for each row when (old.index_no <> new.index_no) execute function has_all()`.execute(db);
}

/** Runs `work`, again from its start each time it dies, as Temporal does with an activity. */
export async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error;
    }
  }
}

export function stepper(pause: Pause) {
  const at = async (where: string) => {
    if ((await pause(where)) === 'die') throw new ProcessDied(where);
  };
  return async <T>(where: string, work: () => Promise<T>): Promise<T> => {
    await at(`before ${where}`);
    const result = await work();
    await at(`after ${where}`);
    return result;
  };
}

/** Only two texts per object, so that content often is what is stored already. */
export const partsFor = (text: string) => partsOf(text.endsWith('0') ? [1] : [2, 3]);

/** The model of every other index rejects this text. */
const isRejected = (index: IndexRow, id: string, text: string) =>
  index.no % 2 === 1 && id === 'e' && text.endsWith('1');

export interface Change {
  id: string;
  version: number;
  /** The number of the task, where the version is its client's. */
  accepted?: number | undefined;
  text: string | null;
  originalId: string | null;
  /** Default: the one of the change. */
  metadata?: Record<string, unknown>;
}

/** What the pipeline makes of changes: vectors, nothing where the content is already stored, or a failure. */
export async function prepare(world: World, indexNo: number, changes: readonly Change[], reuse: boolean) {
  const { db } = world;
  const index = await findIndexByNo(db, indexNo);
  if (!index) throw new ReembedError('IndexNotFound', 'the index was deleted');
  const ids = changes.map(({ id }) => id);
  const known = reuse ? await readTables(index, () => storedHashes(db, indexNo, ids)) : new Map<string, string>();
  return changes.map(({ id, version, accepted, text, originalId, metadata = { version } }): ObjectWrite => {
    const order = { id, version, accepted };
    if (text === null) return { kind: 'tombstone', ...order };
    const about = { ...order, metadata, originalId, uri: null };
    const hash = `hash of ${text}`;
    if (known.get(id) === hash) return { kind: 'unchanged', ...about, hash };
    if (isRejected(index, id, text)) return { kind: 'failed', ...about, payload: text };
    return { ...content(id, version, { text, parts: partsFor(text), metadata, originalId }), accepted };
  });
}
