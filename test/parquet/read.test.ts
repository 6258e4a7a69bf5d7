import { writeFile } from 'node:fs/promises';
import { ByteWriter, type ColumnSource, parquetWrite } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { isParquet, isWholeParquet, readParquet } from '../../src/parquet/read.ts';
import { exported, fileOf, piecesOf, read, write } from './support.ts';

/** Another file with these columns. */
async function writeOther(file: string, columnData: ColumnSource[], rowGroupSize = 1_000_000): Promise<string> {
  const writer = new ByteWriter();
  parquetWrite({ writer, columnData, rowGroupSize, codec: 'SNAPPY' });
  await writeFile(file, writer.getBytes());
  return file;
}

async function drain(file: string): Promise<void> {
  for await (const _object of await readParquet(file));
}

const refused = (file: string) =>
  drain(file).then(
    () => 'nothing was refused',
    (error: { type: string; message: string }) => {
      expect(error.type).toBe('InvalidInput');
      return error.message.replaceAll(file, 'FILE');
    },
  );

test('a file that was cut off anywhere is distinguished from a whole one', async () => {
  const file = fileOf('cut.parquet');
  const whole = await write(file, [exported('a'), exported('b')]);
  expect([await isParquet(file), await isWholeParquet(file), (await read(file)).length]).toEqual([true, true, 2]);
  for (const length of [4, 11, 40, whole.length - 1]) {
    await writeFile(file, whole.subarray(0, length));
    expect([await isParquet(file), await isWholeParquet(file)]).toEqual([true, false]);
    expect(await refused(file)).toBe('FILE is not a whole Parquet file: its end is missing');
  }
  await writeFile(file, '{"id":"a"}\n');
  expect(await isParquet(file)).toBe(false);
});

test('damaged bytes are refused, or read as other values, and never end the process', async () => {
  const file = fileOf('damaged.parquet');
  const whole = await write(file, [exported('a', { payload: { title: 'a long text '.repeat(20) } }), exported('b')]);
  let failed = 0;
  for (let at = 4; at < whole.length - 4; at += 13) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ 0x55;
    await writeFile(file, damaged);
    const said = await refused(file);
    if (said !== 'nothing was refused') {
      failed += 1;
      expect(said).toMatch(/^FILE[:,]? /);
    }
  }
  expect(failed).toBeGreaterThan(10);
});

test('a file without the columns of an export is refused with those that are missing', async () => {
  const file = await writeOther(fileOf('other.parquet'), [
    { name: 'id', data: ['a'], type: 'STRING' },
    { name: 'metadata', data: ['{}'], type: 'STRING' },
  ]);
  expect(await refused(file)).toBe(
    'FILE is not an export: it lacks the columns version, payload, originalId, uri, failed, parts',
  );
});

const plain = (over: Record<string, unknown> = {}): ColumnSource[] => {
  const row = { version: 1n, payload: '"x"', metadata: '{}', originalId: 'b', uri: 'u', failed: false, parts: '[]' };
  return Object.entries({ id: 'a', ...row, ...over }).map(([name, value]) => ({ name, data: [value] as never }));
};

test.each<[string, Record<string, unknown>, string]>([
  ['JSON that is none', { payload: '{"a":' }, 'FILE, object 1.payload: '],
  ['a number that cannot be kept', { payload: '{"a":9007199254740993}' }, 'FILE, object 1.payload.a: must be between'],
  ['metadata that is not text', { metadata: 12.5 }, 'FILE, object 1.metadata: must be JSON as text'],
])('a row with %s is refused with its place', async (_what, over, said) => {
  const file = await writeOther(fileOf('row.parquet'), plain(over));
  expect(await refused(file)).toContain(said);
});

test('a row group that is too large to be read whole is refused before it is read', async () => {
  const id = 'x'.repeat(512);
  const data = Array.from({ length: 140_000 }, () => id);
  const columns = plain().map((column) => (column.name === 'id' ? column : { ...column, data: [] }));
  const full = columns.map(({ name, data: [value] }) => ({
    name,
    data: name === 'id' ? data : data.map(() => value ?? 'x'),
  }));
  const file = await writeOther(
    fileOf('large.parquet'),
    full.map((column) => ({ ...column, encoding: 'PLAIN' as const })),
  );
  expect(await refused(file)).toMatch(
    /^FILE, row group 1 has 140000 rows in \d+ MB, and is read whole: write the file again with at most 250000 rows and 64 MB in a row group$/,
  );
});

test('a file without objects is whole', async () => {
  const file = fileOf('empty.parquet');
  await write(file, []);
  expect([await isWholeParquet(file), await read(file)]).toEqual([true, []]);
  expect((await piecesOf([])).map(({ written }) => written)).toEqual([undefined, undefined]);
});
