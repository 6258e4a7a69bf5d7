import { sql } from 'kysely';
import type { Db } from '../database.ts';
import { tablesOf } from '../partitions.ts';
import { noTurns, type Turns } from '../turns.ts';
import { IS_BEHIND, type Pair } from './copy.ts';

export interface Comparison {
  /** Objects of the source, changed up to the mark, that are missing or older in the destination. */
  behind: number;
  /** Objects that are newer in the destination, live only there, or in another state. */
  ahead: number;
  /** A few ids of both. */
  examples: string[];
  /** Live objects of each side, without those that changed after the mark and are still being forwarded. */
  source: number;
  dest: number;
  /** Objects of the destination that could not be embedded. */
  failed: number;
  /** Objects of `failed` that have vectors in the source. */
  failedHere: number;
  /** Live objects of each side that have vectors. */
  sourceEmbedded: number;
  destEmbedded: number;
  /** Live, embedded objects of the destination without a part: a search cannot find them. */
  withoutParts: number;
  /** Parts of the destination without an object. */
  orphanedParts: number;
}

const IS_AHEAD = sql`
  case
    when d.version is null then false
    when s.version is null then not d.deleted
    else d.version > s.version or (d.version = s.version and d.deleted <> s.deleted and not ${IS_BEHIND})
  end`;

/** Objects of the source that one statement compares while there is live work. */
const RANGE_OBJECTS = 20_000;

/** Objects after one id, up to and with another; null for no bound. */
interface Range {
  after: string | null;
  until: string | null;
}

const within = ({ after, until }: Range) => sql`
  ${after === null ? sql`true` : sql`object_id > ${after}`} and ${until === null ? sql`true` : sql`object_id <= ${until}`}`;

/** Joins the objects of both sides in a range, each once, as one statement sees them at one instant. */
const bothSides = ({ sourceNo, destNo }: Pair, range: Range) => sql`
  (select * from ${tablesOf(sourceNo).objects} where index_no = ${sourceNo} and ${within(range)}) s
  full join (
    select * from ${tablesOf(destNo).objects} where index_no = ${destNo} and ${within(range)}
  ) d using (object_id)`;

/**
 * Compares a destination with its source in both directions: ids and versions up to a mark, counts, and parts. If
 * nothing is behind or ahead, the counts of both sides are equal. While there is live work, each statement compares a
 * range of ids, in turn with it; otherwise one compares all that is left.
 */
export async function compareIndexes(
  db: Db,
  pair: Pair,
  mark: number,
  { turns = noTurns, rangeObjects = RANGE_OBJECTS }: { turns?: Turns; rangeObjects?: number } = {},
): Promise<Comparison> {
  const sum = nothingFound();
  for (let after: string | null = null; ; ) {
    const until: string | null = (await turns.isLive()) ? await endOfRange(db, pair, after, rangeObjects) : null;
    const range = { after, until };
    const { examples, ...counts } = await turns.take(() => compareRange(db, pair, mark, range));
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) sum[name] += counts[name];
    sum.examples = [...sum.examples, ...examples].slice(0, EXAMPLES);
    if (until === null) return sum;
    after = until;
  }
}

const EXAMPLES = 5;

function nothingFound(): Comparison {
  return {
    ...{ behind: 0, ahead: 0, examples: [], source: 0, dest: 0, failed: 0, failedHere: 0 },
    ...{ sourceEmbedded: 0, destEmbedded: 0, withoutParts: 0, orphanedParts: 0 },
  };
}

/** Returns the last id of the next range; null if no more objects are left than one range has. */
async function endOfRange(db: Db, { sourceNo }: Pair, after: string | null, objects: number): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select object_id as id
    from ${tablesOf(sourceNo).objects}
    where index_no = ${sourceNo} and ${within({ after, until: null })}
    order by object_id
    offset ${objects - 1}
    limit 1`.execute(db);
  return rows[0]?.id ?? null;
}

async function compareRange(db: Db, pair: Pair, mark: number, range: Range): Promise<Comparison> {
  const dest = tablesOf(pair.destNo);
  const behind = sql`s.change <= ${mark} and ${IS_BEHIND}`;
  const isSettled = sql`(s.change is null or s.change <= ${mark})`;
  const { rows } = await sql<Omit<Comparison, 'examples' | 'withoutParts' | 'orphanedParts'>>`
    select
      count(*) filter (where ${behind}) as behind,
      count(*) filter (where ${IS_AHEAD}) as ahead,
      count(*) filter (where ${isSettled} and not s.deleted) as source,
      count(*) filter (where ${isSettled} and not d.deleted) as dest,
      count(*) filter (where d.failed and not d.deleted) as failed,
      count(*) filter (where d.failed and not d.deleted and not coalesce(s.failed, false)) as "failedHere",
      count(*) filter (where not s.deleted and not s.failed) as "sourceEmbedded",
      count(*) filter (where not d.deleted and not d.failed) as "destEmbedded"
    from ${bothSides(pair, range)}`.execute(db);
  const counts = rows[0] as (typeof rows)[number];
  const { rows: parts } = await sql<Pick<Comparison, 'withoutParts' | 'orphanedParts'>>`
    select
      (
        select count(*)
        from ${dest.objects} o
        where o.index_no = ${pair.destNo} and ${within(range)} and not o.deleted and not o.failed
          and not exists (
            select from ${dest.parts} p where p.index_no = ${pair.destNo} and p.object_id = o.object_id
          )
      ) as "withoutParts",
      (
        select count(*)
        from ${dest.parts} p
        where p.index_no = ${pair.destNo} and ${within(range)} and not exists (
          select from ${dest.objects} o
          where o.index_no = ${pair.destNo} and o.object_id = p.object_id and not o.deleted and not o.failed
        )
      ) as "orphanedParts"`.execute(db);
  const examples = counts.behind + counts.ahead === 0 ? [] : await examplesOf(db, pair, mark, range);
  return { ...counts, ...(parts[0] as (typeof parts)[number]), examples };
}

async function examplesOf(db: Db, pair: Pair, mark: number, range: Range): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select object_id as id
    from ${bothSides(pair, range)}
    where (s.change <= ${mark} and ${IS_BEHIND}) or ${IS_AHEAD}
    order by object_id
    limit ${EXAMPLES}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Describes the differences, one line each; empty if the destination holds what its source holds. */
export function differencesOf(found: Comparison): string[] {
  const examples = `for instance ${found.examples.join(', ')}`;
  return [
    found.behind > 0 && `${found.behind} objects are missing or older, ${examples}`,
    found.ahead > 0 && `${found.ahead} objects are newer than in the source or unknown there, ${examples}`,
    found.source !== found.dest && `it has ${found.dest} objects, but the source has ${found.source}`,
    found.withoutParts > 0 && `${found.withoutParts} objects have no part`,
    found.orphanedParts > 0 && `${found.orphanedParts} parts have no object`,
  ].filter((line) => line !== false);
}
