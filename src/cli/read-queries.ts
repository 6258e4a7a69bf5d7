import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf } from '../contract/errors.ts';
import { LIMITS } from '../contract/limits.ts';
import type { QueryInput } from '../contract/query-sets.ts';
import { UsageError } from './errors.ts';
import type { Io } from './output.ts';
import { readItems } from './read-items.ts';

type Judgments = Map<string, { id: string; grade: number }[]>;

/**
 * Reads queries, one JSON object per line: `{"id", "text", "relevant", "metadata"}`, or as BEIR names them, `_id` and
 * `text`. Other files have a query per line: its id, a tab and its text, as TREC topics are often stored. Without a
 * file of judgments, those in the lines count.
 */
export async function readQueries(io: Io, file: string, qrels: string | undefined): Promise<QueryInput[]> {
  const isTable = /\.(tsv|txt|csv)$/i.test(file);
  const queries = await all(isTable ? readTable(file) : readJsonLines(io, file));
  if (queries.length === 0) throw new UsageError(`${file} has no queries`);
  if (qrels === undefined) return queries;
  const judgments = await readQrels(qrels);
  const known = new Set(queries.map(({ id }) => id));
  const unknown = [...judgments.keys()].find((id) => !known.has(id));
  // A file of judgments often covers more queries than are used, but one that covers none is the wrong file.
  if (![...judgments.keys()].some((id) => known.has(id))) {
    throw new UsageError(`${qrels} judges no query of ${file}: it names for instance the query ${unknown}`);
  }
  return queries.map((query) => ({ ...query, relevant: judgments.get(query.id) ?? [] }));
}

async function all(queries: AsyncIterable<QueryInput>): Promise<QueryInput[]> {
  const list: QueryInput[] = [];
  for await (const query of queries) {
    list.push(query);
    if (list.length > LIMITS.queriesPerSet) {
      throw new UsageError(`a query set has at most ${LIMITS.queriesPerSet} queries`);
    }
  }
  return list;
}

async function* readJsonLines(io: Io, file: string): AsyncGenerator<QueryInput> {
  for await (const value of await readItems(file, io)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !('_id' in value)) {
      yield value as QueryInput;
      continue;
    }
    // BEIR: everything besides the id and the text is its own metadata.
    const { _id: id, text, metadata = {} } = value as Record<string, unknown>;
    yield { id, text, metadata } as QueryInput;
  }
}

async function* readTable(file: string): AsyncGenerator<QueryInput> {
  for await (const { line, number } of readTextLines(file)) {
    const at = line.indexOf('\t');
    if (at <= 0) throw new UsageError(`${file}, line ${number}: an id, a tab and the text of a query are expected`);
    yield { id: line.slice(0, at).trim(), text: line.slice(at + 1).trim() };
  }
}

/**
 * Reads judgments: TREC qrels (`query 0 object grade`) or those of BEIR (`query object grade`, with a heading). Grades
 * below 0 mean that an object is not relevant, as 0 does.
 */
async function readQrels(file: string): Promise<Judgments> {
  const judgments: Judgments = new Map();
  const seen = new Set<string>();
  for await (const { line, number } of readTextLines(file)) {
    const columns = line.includes('\t') ? line.split('\t') : line.split(/\s+/);
    const [query, id, grade] = columns.length === 4 ? [columns[0], columns[2], columns[3]] : columns;
    if (number === 1 && /^(query|qid|topic)/i.test(query ?? '') && !isGrade(grade)) continue;
    if (!query || !id || !isGrade(grade) || columns.length < 3 || columns.length > 4) {
      throw new UsageError(`${file}, line ${number}: "query 0 object grade" or "query object grade" is expected`);
    }
    const key = JSON.stringify([query, id]);
    if (seen.has(key)) throw new UsageError(`${file}, line ${number}: ${query} judges ${id} a second time`);
    seen.add(key);
    judgments.set(query, [...(judgments.get(query) ?? []), { id, grade: Math.max(0, Number(grade)) }]);
  }
  return judgments;
}

const isGrade = (text: string | undefined): boolean => text !== undefined && /^-?[0-9]{1,4}$/.test(text.trim());

async function* readTextLines(file: string): AsyncGenerator<{ line: string; number: number }> {
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: 500 })) {
      number++;
      if (line.trim() !== '') yield { line: line.replace(/^\ufeff/, ''), number };
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
