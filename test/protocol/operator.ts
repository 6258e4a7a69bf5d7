import { sql } from 'kysely';
import { ReembedError } from '../../src/contract/errors.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { nextVersion } from '../../src/store/protocol/versions.ts';
import { createIndex, tombstone } from '../store/builders.ts';
import { type Accepted, KEYS, note, type Pause, ProcessDied, prepare, type World } from './world.ts';

/** What people and time do besides tasks. */
export type Action =
  /** Moves an alias to one of the indexes by hand; only when all locks have expired, or together with them. */
  | { do: 'move'; alias: number; to: number; expires: boolean }
  /** Lets all locks expire: their workers are away. They may come back. */
  | { do: 'expire' }
  /** Removes tombstones, as maintenance does after the retention; when locks have expired, or together with them. */
  | { do: 'collect'; expires: boolean }
  /** Writes to an index that does not serve. */
  | { do: 'try'; to: number; key: number; text: number | null }
  /** Deletes an index, creates another of its name, and runs a deletion that was accepted for the first one. */
  | { do: 'replace' };

/** Longer than a mirror may take to come back. */
const AWAY = sql`now() - interval '2 days'`;
/** Processes that could bring what is missing stand still at that time. */
const DRAIN_SECONDS = 0.12;

const isError = (error: unknown, ...types: string[]) => error instanceof ReembedError && types.includes(error.type);

export async function operate(world: World, actions: readonly Action[], pause: Pause): Promise<void> {
  for (const action of actions) {
    await pause(`before ${action.do}`);
    try {
      await act(world, action, pause);
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error;
    }
  }
}

async function act(world: World, action: Action, pause: Pause): Promise<void> {
  switch (action.do) {
    case 'move':
      if (action.expires) await expire(world);
      return move(world, action);
    case 'expire':
      return expire(world);
    case 'collect':
      if (action.expires) await expire(world);
      return collect(world);
    case 'try':
      return tryOut(world, action);
    case 'replace':
      return replaceSide(world, pause);
  }
}

async function expire({ db, indexes }: World): Promise<void> {
  const nos = indexes.map(({ no }) => no);
  await sql`
    update reembed.reindex_locks set lock_expire_time = ${AWAY} where source_no = any(${nos}::int[])`.execute(db);
}

async function move(world: World, { alias, to }: Action & { do: 'move' }): Promise<void> {
  const index = world.indexes[to % world.indexes.length] as World['side'];
  // A user who points an alias to different content by hand wants exactly that.
  if (world.trials.has(index.no)) return;
  const name = world.aliases[alias % world.aliases.length] as string;
  try {
    await world.steps.setAlias(world.db, name, index.name, { drainSeconds: DRAIN_SECONDS });
    note(world, 'alias moved');
  } catch (error) {
    if (!isError(error, 'NotCurrent', 'IndexLocked')) throw error;
    note(world, 'alias not moved');
  }
}

async function collect(world: World): Promise<void> {
  for (const { no } of world.indexes) {
    const removed = await world.steps.collectTombstones(world.db, no, { retentionSeconds: 0, limit: 100 });
    if (removed > 0) note(world, 'collected');
  }
}

/** Content that a reindex must neither serve nor remove unasked. */
async function tryOut(world: World, { to, key, text }: Action & { do: 'try' }): Promise<void> {
  const { db } = world;
  const index = world.indexes[to % world.indexes.length] as World['side'];
  if (await isServing(world, index.no)) return;
  const id = KEYS[key % KEYS.length] as string;
  const version = world.nature.isExternal ? 1_000 + key : await nextVersion(db);
  const accepted = world.nature.isExternal ? await nextVersion(db) : undefined;
  const content = text === null ? null : `${id} tries ${text % 2}`;
  const [object] = await prepare(world, index.no, [{ id, version, accepted, text: content, originalId: null }], false);
  if (!object || object.kind === 'failed') return;
  world.trials.add(index.no);
  const entry: Accepted = { via: index.name, indexNo: index.no, id, version, text: content, serves: 'trial' };
  world.accepted.push(entry);
  const objects = [content === null ? { ...tombstone(id, version), accepted } : object];
  try {
    await world.steps.writeLive(db, {
      target: index.name,
      indexNo: index.no,
      objects,
      onReindex: 'forward',
      finishes: null,
    });
  } catch (error) {
    if (!isError(error, 'IndexLocked')) throw error;
    world.accepted.splice(world.accepted.indexOf(entry), 1);
  }
  // It began to serve while the write waited: then the write is like any other.
  if (await isServing(world, index.no)) entry.serves = 'may';
}

async function isServing({ db, aliases }: World, indexNo: number): Promise<boolean> {
  const { rows } = await sql`
    select from reembed.aliases where index_no = ${indexNo} and name = any(${aliases}::text[])`.execute(db);
  return rows.length > 0;
}

async function replaceSide(world: World, pause: Pause): Promise<void> {
  const { db, steps, side } = world;
  if (world.wrong.length > 0) return;
  const remove = async () => {
    await dropIndex(db, (await steps.markDeleting(db, { index: side.name, indexNo: side.no })).indexNo);
  };
  await remove();
  await pause('before the next of the name');
  world.side = await createIndex(db, { name: side.name });
  await pause('before a deletion that was accepted for the first');
  await remove().then(
    () => world.wrong.push('a namesake is deleted by a deletion of another index'),
    (error) => {
      if (!isError(error, 'IndexDeleted')) throw error;
    },
  );
}
