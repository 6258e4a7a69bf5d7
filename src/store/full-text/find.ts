import { type RawBuilder, sql } from 'kysely';
import type { Language } from '../../contract/full-text.ts';
import type { Trx } from '../database.ts';
import { found, type Neighborhood } from '../neighborhood.ts';
import { tablesOf } from '../partitions.ts';
import type { IndexRow } from '../schema.ts';
import { regconfigOf, spaced } from './words.ts';

export interface TextQuery extends Pick<Neighborhood, 'limit' | 'filter'> {
  text: string;
  language: Language;
}

/** An object with the part that matches best. */
export interface TextMatch {
  id: string;
  part: number;
  /** Larger is better; only comparable within one search. */
  score: number;
}

export interface TextFound {
  /** Best first. */
  matches: TextMatch[];
  /** False if parts that contain only common words of the text were not compared. */
  exact: boolean;
}

/** A word of the query with the number of parts that contain it. */
interface Term {
  /** As a query of its own. */
  query: string;
  parts: number;
  weight: number;
}

/** Words of a query that count; further ones are ignored. */
const MAX_TERMS = 64;
/** Parts that are compared in one search. */
const MAX_CANDIDATES = 20_000;
/** Counting the parts of the index stops here if Postgres has no estimate. */
const COUNTED_PARTS = 10_000;
/** How much a long part loses against a short one: `b` of BM25. */
const LENGTH_SHARE = 0.75;

/**
 * Finds the objects whose words match a text, best first, each with its best part. Any word of the text is enough; the
 * score sums, over the words of the text, the rarity of the word times its frequency in the part, which saturates,
 * divided by the length of the part. This is the form of BM25 (Robertson and Zaragoza, 2009), with `ts_rank` as the
 * saturating frequency. Parts with rare words are compared first: at most 20,000.
 */
export async function findByText(trx: Trx, index: IndexRow, query: TextQuery): Promise<TextFound> {
  const { terms, isCut } = await readTerms(trx, index, query);
  if (terms.length === 0) return { matches: [], exact: !isCut };
  // Postgres knows too little about words to choose their index by itself.
  await sql`savepoint by_words`.execute(trx);
  await sql`select set_config('enable_seqscan', 'off', true)`.execute(trx);
  const rare = rareOf(terms);
  const found = await compare(trx, index, { query, terms, any: rare });
  const isWhole = rare.length === terms.length;
  const all =
    isWhole || found.matches.length >= query.limit ? found : await compare(trx, index, { query, terms, any: terms });
  await sql`rollback to savepoint by_words`.execute(trx);
  return { matches: all.matches, exact: !isCut && !all.isCut && (isWhole || all !== found) };
}

/** Reads the first words of the query that some part has, and in how many each occurs. `isCut`: there are more words. */
async function readTerms(
  trx: Trx,
  index: IndexRow,
  { text, language }: TextQuery,
): Promise<{ terms: Term[]; isCut: boolean }> {
  const { parts } = tablesOf(index.no);
  const { rows } = await sql<Omit<Term, 'query'> & { query: string | null; words: number }>`
    with given as (
      select lexeme, positions
      from unnest(to_tsvector(${regconfigOf(language)}::text::regconfig, ${spaced(text)}::text))
    ),
    words as (
      -- a query of one word: quotes and backslashes are doubled
      select '''' || replace(replace(lexeme, '\\', '\\\\'), '''', '''''') || '''' as query
      from given
      order by positions[1], lexeme
      limit ${MAX_TERMS}
    ),
    counted as (
      select query, (
          select count(*)
          from (select 1 from ${parts} where words @@ query::tsquery limit ${MAX_CANDIDATES + 1}) matching
        ) as parts
      from words
    ),
    size as (
      select greatest(
          (select reltuples from pg_class where oid = ${`reembed.parts_${index.no}`}::regclass),
          (select count(*) from (select 1 from ${parts} limit ${COUNTED_PARTS}) first)
        ) as total
    )
    select query, parts, ln(1 + (greatest(total, parts) - parts + 0.5) / (parts + 0.5)) as weight,
      (select count(*) from given) as words
    from size
    left join counted on parts > 0
    order by parts, query`.execute(trx);
  const terms = rows.flatMap(({ query, parts, weight }) => (query === null ? [] : [{ query, parts, weight }]));
  return { terms, isCut: (rows[0]?.words ?? 0) > MAX_TERMS };
}

/** Returns the rarest words, as long as few enough parts contain them; at least one. */
function rareOf(terms: readonly Term[]): Term[] {
  let parts = 0;
  return terms.filter((term, at) => {
    parts += term.parts;
    return at === 0 || parts <= MAX_CANDIDATES;
  });
}

async function compare(
  trx: Trx,
  index: IndexRow,
  { query, terms, any }: { query: TextQuery; terms: readonly Term[]; any: readonly Term[] },
): Promise<{ matches: TextMatch[]; isCut: boolean }> {
  const { objects, parts } = tablesOf(index.no);
  const array = (values: readonly unknown[], type: RawBuilder<unknown>) => sql`${values}::${type}[]`;
  const { rows } = await sql<TextMatch & { candidates: number }>`
    with terms as (
      select query::tsquery as query, weight
      from unnest(
        ${array(
          terms.map(({ query }) => query),
          sql`text`,
        )},
        ${array(
          terms.map(({ weight }) => weight),
          sql`float8`,
        )}
      ) as term (query, weight)
    ),
    candidates as materialized (
      select p.object_id, p.part, p.words
      from ${parts} p
      where p.index_no = ${index.no}
        and p.words @@ ${any.map(({ query }) => query).join(' | ')}::tsquery
        and (
          select ${found(query)}
          from ${objects} o
          where o.index_no = ${index.no} and o.object_id = p.object_id
        )
      limit ${MAX_CANDIDATES + 1}
    ),
    size as (
      select count(*) as candidates, avg(length(words)) as words
      from candidates
    ),
    scored as (
      select c.object_id as id, c.part, size.candidates,
        (
          select sum(weight * ts_rank('{1, 1, 1, 1}', c.words, query))
          from terms
        ) / (1 - ${LENGTH_SHARE}::float8 + ${LENGTH_SHARE}::float8 * length(c.words) / size.words) as score
      from candidates c
      cross join size
    )
    select *
    from (
      select distinct on (id) id, part, score, candidates
      from scored
      order by id, score desc, part
    ) best
    order by score desc, id
    limit ${query.limit}`.execute(trx);
  const isCut = (rows[0]?.candidates ?? 0) > MAX_CANDIDATES;
  return { matches: rows.map(({ id, part, score }) => ({ id, part, score })), isCut };
}
