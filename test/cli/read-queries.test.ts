import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readQueries } from '../../src/cli/read-queries.ts';
import { LIMITS } from '../../src/contract/limits.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'queries-'));

function file(name: string, text: string): string {
  const at = path.join(folder, name);
  writeFileSync(at, text);
  return at;
}

const io = { stdin: Readable.from([]) } as never;
const JSONL = '{"id":"q1","text":"big cat","relevant":[{"id":"a","grade":2}]}\n{"id":"q2","text":"ship"}\n';

describe('queries', () => {
  test('are read from lines of JSON with their judgments', async () => {
    expect(await readQueries(io, file('own.jsonl', JSONL), undefined)).toEqual([
      { id: 'q1', text: 'big cat', relevant: [{ id: 'a', grade: 2 }] },
      { id: 'q2', text: 'ship' },
    ]);
  });

  test('are read from the files of BEIR', async () => {
    const queries = file('queries.jsonl', '{"_id": "q1", "text": "big cat", "metadata": {"lang": "en"}}\n');
    const qrels = file('test.tsv', 'query-id\tcorpus-id\tscore\nq1\tdoc 1\t2\nq1\tdoc2\t0\nother\td\t1\n');
    expect(await readQueries(io, queries, qrels)).toEqual([
      {
        id: 'q1',
        text: 'big cat',
        metadata: { lang: 'en' },
        relevant: [
          { id: 'doc 1', grade: 2 },
          { id: 'doc2', grade: 0 },
        ],
      },
    ]);
  });

  test('are read from the files of TREC, where a negative grade means not relevant', async () => {
    const topics = file('topics.tsv', '301\tinternational organized crime\n302\tpoliomyelitis\n');
    const qrels = file('qrels.txt', '301 0 FR940202 1\n301 0 CR93E -2\n');
    expect(await readQueries(io, topics, qrels)).toEqual([
      {
        id: '301',
        text: 'international organized crime',
        relevant: [
          { id: 'FR940202', grade: 1 },
          { id: 'CR93E', grade: 0 },
        ],
      },
      { id: '302', text: 'poliomyelitis', relevant: [] },
    ]);
  });

  test.each([
    ['a file without queries', '\n', undefined, /has no queries/],
    ['judgments of other queries', JSONL, 'x 0 a 1\n', /judges no query of .*"?x/],
    ['a line that is no judgment', JSONL, 'q1 0 a 1\nq1 a\n', /line 2: .* is expected/],
    ['a grade that is not a number', JSONL, 'q1 0 a 1\nq1 0 b high\n', /line 2: .* is expected/],
    ['a judgment that occurs twice', JSONL, 'q1 0 a 1\nq1 0 a 2\n', /line 2: q1 judges a a second time/],
  ])('are refused from %s, with the place', async (name, text, qrels, message) => {
    const given = qrels === undefined ? undefined : file('qrels', qrels);
    await expect(readQueries(io, file(`${name.replaceAll(' ', '-')}.jsonl`, text), given)).rejects.toThrow(message);
  });

  test('of a table need an id and a text', async () => {
    await expect(readQueries(io, file('bad.tsv', 'q1 without a tab\n'), undefined)).rejects.toThrow(
      /line 1: an id, a tab/,
    );
  });

  test('from a file with too many of them are not read to its end', async () => {
    const lines = Array.from({ length: LIMITS.queriesPerSet + 2 }, (_, at) => `${at}\ttext`).join('\n');
    await expect(readQueries(io, file('many.tsv', lines), undefined)).rejects.toThrow(/at most 10000 queries/);
  });

  test('from a file that does not exist are refused with its name', async () => {
    await expect(readQueries(io, path.join(folder, 'none.tsv'), undefined)).rejects.toThrow(/none\.tsv cannot be read/);
  });
});
