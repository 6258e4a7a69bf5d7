import { sql } from 'kysely';
import { ReembedError } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { Query } from '../contract/query-sets.ts';
import type { SampledSearch, SampledSet } from '../contract/sampling.ts';
import type { Db } from './database.ts';
import { cutPage } from './read-size.ts';

/** Rows beyond the newest ones that one call deletes. */
const BATCH = 1_000;

/** A search to keep. */
export interface NewSampledSearch extends Omit<SampledSearch, 'id' | 'time'> {
  alias: string;
  /** Seconds since the search. */
  ageSeconds: number;
}

/** Which searches by an alias are kept, and those that are there. */
export interface SamplingState {
  share: number;
  keepSeconds: number | null;
  searches: number;
  oldest: Date | null;
  newest: Date | null;
}

/** SQL for a search that has not expired; `s` is the row, `g` the sampling of its alias. */
const isKept = sql`s.search_time >= now() - make_interval(secs => g.keep_seconds)`;

/** Sets which share of the searches by an alias is kept, and for how long. Error: `AliasNotFound`. */
export async function setSampling(
  db: Db,
  alias: string,
  { share, keepSeconds }: { share: number; keepSeconds: number },
): Promise<void> {
  const { rows } = await sql`
    insert into reembed.search_sampling (alias, share, keep_seconds)
    select name, ${share}, ${keepSeconds}
    from reembed.aliases
    where name = ${alias}
    on conflict (alias) do update set share = excluded.share, keep_seconds = excluded.keep_seconds
    returning alias`.execute(db);
  if (rows.length === 0) throw notFound(alias);
}

/** Returns the sampling of an alias; its share is 0 if none was set. Error: `AliasNotFound`. */
export async function getSampling(db: Db, alias: string): Promise<SamplingState> {
  const { rows } = await sql<SamplingState>`
    select coalesce(g.share, 0) as share, g.keep_seconds as "keepSeconds", count(s.seq) as searches,
      min(s.search_time) as oldest, max(s.search_time) as newest
    from reembed.aliases a
    left join reembed.search_sampling g on g.alias = a.name
    left join reembed.sampled_searches s on s.alias = g.alias and ${isKept}
    where a.name = ${alias}
    group by g.share, g.keep_seconds`.execute(db);
  if (!rows[0]) throw notFound(alias);
  return rows[0];
}

/** Ends the sampling of an alias and deletes its sampled searches. Error: `AliasNotFound`. */
export async function endSampling(db: Db, alias: string): Promise<void> {
  const { rows } = await sql<{ found: boolean }>`
    with ended as (delete from reembed.search_sampling where alias = ${alias})
    select exists (select from reembed.aliases where name = ${alias}) as found`.execute(db);
  if (!rows[0]?.found) throw notFound(alias);
}

function notFound(alias: string): ReembedError {
  return new ReembedError('AliasNotFound', `there is no alias ${alias}`);
}

/** Adds searches of aliases that still sample, and deletes all but the newest `max` of each. Returns how many it added. */
export async function addSampledSearches(
  db: Db,
  searches: readonly NewSampledSearch[],
  max: number = LIMITS.sampledSearches,
): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into reembed.sampled_searches (alias, text, search_time, index_name, max_hits, filtered, hits)
    select given.alias, given.text, now() - make_interval(secs => given.age), given.index_name, given.max_hits,
      given.filtered, given.hits::jsonb
    from unnest(
      ${searches.map(({ alias }) => alias)}::text[],
      ${searches.map(({ text }) => text)}::text[],
      ${searches.map(({ ageSeconds }) => ageSeconds)}::float8[],
      ${searches.map(({ index }) => index)}::text[],
      ${searches.map(({ limit }) => limit)}::int[],
      ${searches.map(({ filtered }) => filtered)}::boolean[],
      ${searches.map(({ hits }) => JSON.stringify(hits))}::text[]
    ) with ordinality as given (alias, text, age, index_name, max_hits, filtered, hits, at)
    join reembed.search_sampling g on g.alias = given.alias and g.share > 0
    order by given.at`.execute(db);
  await dropBeyond(db, [...new Set(searches.map(({ alias }) => alias))], max);
  return Number(numAffectedRows ?? 0);
}

/** Deletes all but the newest `max` searches of each alias, a batch per alias at most. */
async function dropBeyond(db: Db, aliases: readonly string[], max: number): Promise<void> {
  // Another process may delete the same rows: each skips what the other has locked, so that neither waits.
  await sql`
    delete from reembed.sampled_searches
    where seq in (
      select old.seq
      from unnest(${aliases}::text[]) as given (alias)
      cross join lateral (
        select seq
        from reembed.sampled_searches
        where alias = given.alias
        order by seq desc
        offset ${max}
        limit ${BATCH}
        for update skip locked
      ) old
    )`.execute(db);
}

/** Deletes searches that have expired, `limit` at most. Returns how many. */
export async function dropExpiredSearches(db: Db, limit: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from reembed.sampled_searches
    where seq in (
      select s.seq
      from reembed.sampled_searches s
      join reembed.search_sampling g on g.alias = s.alias
      where not (${isKept})
      limit ${limit}
      for update of s skip locked
    )`.execute(db);
  return Number(numAffectedRows ?? 0);
}

/** Returns some sampled searches of an alias, newest first, and the id after which the next page begins. */
export async function listSampledSearches(
  db: Db,
  alias: string,
  { after, limit, bytes = LIMITS.answerBytes }: { after: string | null; limit: number; bytes?: number },
): Promise<{ searches: SampledSearch[]; next: string | null }> {
  const { rows } = await sql<Omit<SampledSearch, 'time'> & { time: Date; sum: number }>`
    select page.*, sum(octet_length(text) + octet_length(hits::text)) over (order by id::bigint desc) as sum
    from (
      select s.seq::text as id, s.text, s.search_time as time, s.index_name as index, s.max_hits as limit, s.filtered,
        s.hits
      from reembed.sampled_searches s
      join reembed.search_sampling g on g.alias = s.alias
      where s.alias = ${alias} and (${after}::bigint is null or s.seq < ${after}::bigint) and ${isKept}
      order by s.seq desc
      limit ${limit + 1}
    ) page
    order by id::bigint desc`.execute(db);
  const { page, isLast } = cutPage(rows, { limit, bytes });
  const searches = page.map((search) => ({ ...search, time: search.time.toISOString() }));
  return { searches, next: isLast ? null : (searches.at(-1)?.id ?? null) };
}

/**
 * Returns the different texts among the sampled searches of an alias as queries without judgments: the most recent ones
 * or, with a seed, random ones. The id of a query is that of the newest search with its text. Together they have at most
 * `bytes` of text.
 */
export async function pickSampledTexts(
  db: Db,
  { alias, count, seed }: SampledSet,
  bytes: number = LIMITS.querySetBytes,
): Promise<Query[]> {
  const order = seed === undefined ? sql`max(s.seq) desc` : sql`md5(${String(seed)} || ':' || s.text), s.text`;
  const { rows } = await sql<{ id: string; text: string }>`
    select id::text, text
    from (
      select max(s.seq) as id, s.text, row_number() over (order by ${order}) as at,
        sum(octet_length(s.text)) over (order by ${order} rows unbounded preceding) as sum
      from reembed.sampled_searches s
      join reembed.search_sampling g on g.alias = s.alias
      where s.alias = ${alias} and ${isKept}
      group by s.text
    ) texts
    where at <= ${count} and sum <= ${bytes}
    order by at`.execute(db);
  return rows.map(({ id, text }) => ({ id, text, relevant: [] }));
}
