import { sql } from 'kysely';
import { resolveIndex } from '../../src/store/indexes.ts';
import { orphanParts, rowsOf, type StoredRow } from '../store/builders.ts';
import { type Accepted, KEYS, ORIGINALS, partsFor, type World } from './world.ts';

const highest = (entries: readonly Accepted[]): Accepted | undefined =>
  entries.reduce<Accepted | undefined>((best, one) => (!best || best.version < one.version ? one : best), undefined);

/** Errors in what serves now, compared with everything that was accepted. */
export async function findWrong(world: World): Promise<string[]> {
  const { db, aliases, accepted, side } = world;
  if (world.wrong.length > 0) return world.wrong;
  const wrong: string[] = [];
  const viaAlias = accepted.filter(({ via, serves }) => aliases.includes(via) || serves === 'may');
  for (const alias of aliases) {
    const { no } = await resolveIndex(db, alias);
    const own = accepted.filter(({ via, serves }) => via === alias && serves === 'must');
    wrong.push(...(await findWrongIn(world, no, own, viaAlias)), ...(await findUnlisted(world, no)));
  }
  const own = accepted.filter(({ indexNo }) => indexNo === side.no);
  const must = own.filter(({ serves }) => serves === 'must');
  wrong.push(...(await findWrongIn(world, side.no, must, own)).map((line) => `in a namesake: ${line}`));
  return wrong;
}

async function findWrongIn(
  world: World,
  indexNo: number,
  must: readonly Accepted[],
  may: readonly Accepted[],
): Promise<string[]> {
  const rows = new Map((await rowsOf(world.db, indexNo)).map((row) => [row.id, row]));
  const wrong = (await orphanParts(world.db, indexNo)).map((id) => `orphaned part of ${id}`);
  for (const id of KEYS) {
    const deletion = deletionOf(world, id, must);
    const content = highest(must.filter((one) => one.id === id && one.text !== null));
    const newest = content && content.version > deletion ? content : undefined;
    const row = rows.get(id);
    if (row && !row.deleted) wrong.push(...findWrongContent(world, row, { deletion, newest, may }));
    // The deletion by another task, or a deletion reported as failed that happened anyway, may be newer.
    else if (newest && !may.some((one) => one.id === id && one.text === null && one.version > newest.version)) {
      wrong.push(`${id} is lost`);
    }
  }
  return wrong;
}

/** The version of the last deletion of an object or of its originals. */
function deletionOf(world: World, id: string, must: readonly Accepted[]): number {
  const own = highest(must.filter((one) => one.id === id && one.text === null))?.version ?? 0;
  // An object that was never written has not recorded its original.
  const isKnown = world.nature.isDerived && must.some((one) => one.id === id && one.text !== null);
  const original = isKnown ? ORIGINALS[id] : null;
  return Math.max(own, original ? deletionOf(world, original, must) : 0);
}

function findWrongContent(
  world: World,
  row: StoredRow,
  { deletion, newest, may }: { deletion: number; newest: Accepted | undefined; may: readonly Accepted[] },
): string[] {
  const { id, version, payload } = row;
  const isIt = (one: Accepted) => one.id === id && one.version === version && one.text === payload;
  if (!may.some(isIt)) {
    if (world.accepted.some((one) => isIt(one) && one.serves === 'trial'))
      return [`${id}: content of a destination's own serves`];
    return [`${id} is stale or was never written: ${payload}`];
  }
  if (version <= deletion) return [`${id} is resurrected`];
  if (newest && version < newest.version) return [`${id} is stale`];
  const metadata = row.metadata as { version: number };
  if (metadata.version !== version) return [`${id} has stale metadata`];
  const parts = partsFor(String(payload)).map(({ embedding }) => embedding[0]);
  if (!row.failed && row.parts.join() !== parts.join()) return [`${id} has the parts of another content`];
  return [];
}

/** Objects without vectors that are on the failed list of no reindex, so that nobody can run them again. */
async function findUnlisted({ db }: World, indexNo: number): Promise<string[]> {
  const failed = (await rowsOf(db, indexNo)).filter(({ failed, deleted }) => failed && !deleted);
  if (failed.length === 0) return [];
  const tasks = [`reindex ${indexNo}`, `retire ${indexNo}`];
  const { rows } = await sql<{ id: string }>`
    select object_id as id from reembed.failed_items where task_id = any(${tasks}::text[])`.execute(db);
  const listed = new Set(rows.map(({ id }) => id));
  return failed.filter(({ id }) => !listed.has(id)).map(({ id }) => `${id} has no vectors and is on no list`);
}
