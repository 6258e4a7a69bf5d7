import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { UsageError } from '../../src/cli/errors.ts';
import { readItems } from '../../src/cli/read-items.ts';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';

async function collect(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const value of values) all.push(value);
  return all;
}

async function read(content: string | Buffer): Promise<unknown[]> {
  const file = path.join(freshFolder(), 'items');
  writeFileSync(file, content);
  return await collect(await readItems(file, {} as never));
}

test('one object per line is read, with any text and any line endings', async () => {
  const items = [{ id: 'a', payload: 'one\u2028two\u2029three\r' }, { id: 'b', payload: 'ü😀' }, { id: 'c' }];
  const [first, second, third] = items.map((item) => JSON.stringify(item));
  expect(await read(`\uFEFF${first}\r\n\n  ${second}\n${third}`)).toEqual(items);
});

test('one array is read, on one line or many', async () => {
  const items = [{ id: 'a' }, { id: 'b' }];
  expect(await read(JSON.stringify(items))).toEqual(items);
  expect(await read(`\n${JSON.stringify(items, null, 2)}\n`)).toEqual(items);
});

test('a large object is read whole', async () => {
  const item = { id: 'a', payload: 'x'.repeat(3_000_000) };
  expect(await read(`${JSON.stringify(item)}\n`)).toEqual([item]);
});

test('invalid JSON is reported with its line, and no item after it is read', async () => {
  await expect(read('{"id":"a"}\n{"id":')).rejects.toThrow(/items, line 2: /);
  await expect(read('[1, 2')).rejects.toThrow(UsageError);
  await expect(read(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))).rejects.toThrow(/is not UTF-8/);
});

test('an unreadable file is reported by name before any of it is read', async () => {
  const open = (file: string) => readItems(file, {} as never);
  await expect(open('/no/such/file')).rejects.toThrow(/^\/no\/such\/file cannot be read: /);
  await expect(open('/tmp')).rejects.toThrow('/tmp cannot be read: it is a folder');
});

test('a dash means standard input', async () => {
  const io = { stdin: Readable.from([Buffer.from('{"id":"a"}\n{"id"'), Buffer.from(':"b"}')]) };
  expect(await collect(await readItems('-', io as never))).toEqual([{ id: 'a' }, { id: 'b' }]);
});

test('the progress in a file is reported, up to its end', async () => {
  const file = path.join(freshFolder(), 'items');
  const lines = Array.from({ length: 5_000 }, (_, at) => `{"id": "line-${at}"}\n`).join('');
  writeFileSync(file, lines);
  const reported: number[] = [];
  const all = await collect(
    await readItems(file, {} as never, (bytes, size) => {
      expect(size).toBe(lines.length);
      reported.push(bytes);
    }),
  );
  expect(all).toHaveLength(5_000);
  expect(reported).toEqual(reported.toSorted((one, other) => one - other));
  expect([(reported[0] as number) < lines.length, reported.at(-1)]).toEqual([true, lines.length]);
});
