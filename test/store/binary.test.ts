import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { bigintArray, booleanArray, intArray, textArray, vectorArray } from '../../src/store/binary.ts';
import type { Db } from '../../src/store/database.ts';
import { onBothDatabases } from '../support/databases.ts';

async function elements<T>(db: Db, array: Buffer, type: string): Promise<T[]> {
  const { rows } = await sql<{ element: T }>`
    select element from unnest(${array}::${sql.raw(type)}) with ordinality as u (element, at) order by at`.execute(db);
  return rows.map(({ element }) => element);
}

onBothDatabases((database) => {
  it('texts arrive unchanged: quotes, braces, nulls and characters of any length', async () => {
    const texts = ['', 'plain', null, 'NULL', '{"a\\":[1,"}"]}', 'ü€😀', "'; drop table x; --"];
    expect(await elements(database().db, textArray(texts), 'text[]')).toEqual(texts);
  });

  it('integers arrive exactly within the safe range of JavaScript', async () => {
    const numbers = [0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    expect(await elements(database().db, bigintArray(numbers), 'bigint[]')).toEqual(numbers);
  });

  it('short integers and booleans arrive unchanged, and nulls as such', async () => {
    const { db } = database();
    const numbers = [0, null, -1, 2 ** 31 - 1, -(2 ** 31), null];
    expect(await elements(db, intArray(numbers), 'int[]')).toEqual(numbers);
    expect(await elements(db, bigintArray([null, 5, null]), 'bigint[]')).toEqual([null, 5, null]);
    expect(await elements(db, booleanArray([true, false, true]), 'boolean[]')).toEqual([true, false, true]);
  });

  it('vectors arrive as pgvector reads them from text, from numbers or single-precision bytes', async () => {
    const { db } = database();
    const { rows } = await sql<{ oid: number }>`select 'vector'::regtype::oid as oid`.execute(db);
    const oid = rows[0]?.oid ?? 0;
    const numbers = [0.1, -2.5e-7, 3.4e38];
    // A view that does not begin where its memory does.
    const bytes = Float32Array.from([9, ...numbers]).subarray(1);
    const read = await sql<{ text: string }>`select ${`[${numbers}]`}::vector::text as text`.execute(db);
    const text = read.rows[0]?.text;
    expect(await elements(db, vectorArray([numbers, bytes, [1]], oid), 'vector[]')).toEqual([text, text, '[1]']);
  });

  it('an array may be empty', async () => {
    expect(await elements(database().db, textArray([]), 'text[]')).toEqual([]);
  });
});
