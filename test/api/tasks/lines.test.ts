import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readLines } from '../../../src/contract/json-text/lines.ts';
import { listTasks } from '../../../src/temporal/index.ts';
import { eventually, makeIndex, openWorld, uniqueName, type World } from '../../temporal/support.ts';
import { stagedRows, taskApi } from './support.ts';

let world: World;
let api: ReturnType<typeof taskApi>;
let index: string;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  api = taskApi(world);
  index = (await makeIndex(world.db)).name;
});
afterEach(async () => {
  expect(
    await eventually(
      () => stagedRows(world),
      (rows) => rows === 0,
    ),
  ).toBe(0);
});
afterAll(() => world?.close());

const line = (id: string) => JSON.stringify({ id, payload: `text ${id}` });

describe('a body of lines', () => {
  test('is staged in batches and written as a whole', async () => {
    const body = Array.from({ length: 1_203 }, (_, at) => line(`o${at}`)).join('\r\n\n');
    const answer = await api.lines(`/upsert/run?index=${index}&wait=true`, `\uFEFF${body}\n`);
    expect(answer).toMatchObject({ status: 200, body: { status: 'done', data: { written: 1_203 } } });
  });

  test('may delete by id and by object with an id', async () => {
    const answer = await api.lines(`/delete/run?index=${index}&wait=true`, '"o1"\n{"id":"o2"}');
    expect(answer).toMatchObject({ status: 200, body: { type: 'delete', status: 'done', data: { written: 2 } } });
  });

  test.each([
    ['broken JSON', [line('a'), '{"id":'], 'line 2'],
    ['a field that is not known', [line('a'), '', '{"id":"b","payload":"x","color":1}'], 'line 3.color'],
    ['no payload', ['{"id":"b"}'], 'line 1.payload'],
    ['the same id twice', [line('a'), line('b'), line('a')], 'line 3.id'],
    ['a version that the index gives itself', ['{"id":"b","payload":"x","version":1}'], 'line 1.version'],
    ['what is no object', [line('a'), '17'], 'line 2'],
  ])('with %s is refused with the line, and nothing is kept', async (_what, lines, path) => {
    const taskId = uniqueName('t');
    const many = Array.from({ length: 600 }, (_, at) => line(`m${at}`));
    const before = lines.slice(0, -1);
    const last = lines.at(-1) as string;
    for (const body of [
      [...before, last],
      [...before, ...many, last],
    ]) {
      const answer = await api.lines(`/upsert/run?index=${index}&taskId=${taskId}`, body.join('\n'));
      const named = path.replace(/\d+/, String(body.length));
      expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining(named) } });
      expect(answer.body.issues[0].path).toBe(named);
    }
    expect((await api.call('GET', `/info?taskId=${taskId}`)).status).toBe(404);
  });

  test('is refused if an id occurs twice, however many lines precede', async () => {
    const many = Array.from({ length: 10_001 }, (_, at) => line(`m${at}`));
    const answer = await api.lines(`/upsert/run?index=${index}`, [...many, line('m10000'), ''].join('\n'));
    const detail = expect.stringContaining('"m10000" comes twice, in the lines 10001 and 10002');
    expect(answer).toMatchObject({ status: 400, body: { detail, issues: [{ path: 'id' }] } });
    expect(await stagedRows(world)).toBe(0);
  });

  test('is refused if it is empty, or its index is missing or unknown', async () => {
    expect(await api.lines(`/upsert/run?index=${index}`, '\n \n')).toMatchObject({ status: 400 });
    expect(await api.lines('/upsert/run', line('a'))).toMatchObject({
      status: 400,
      body: { issues: [{ path: 'query.index' }] },
    });
    expect(await api.lines('/upsert/run?index=nowhere', line('a'))).toMatchObject({ status: 404 });
    const reindex = await api.lines('/reindex/run', '{}');
    expect(reindex.status).toBe(415);
  });

  test('is discarded when its sender disconnects in the middle', async () => {
    const server = createAdaptorServer({ fetch: api.app.fetch }).listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const taskId = uniqueName('t');
    const path = `/upsert/run?index=${index}&taskId=${taskId}`;
    const sending = request({ port, path, method: 'POST', headers: { 'content-type': 'application/x-ndjson' } });
    sending.on('error', () => {});
    for (let at = 0; at < 1_100; at++) sending.write(`${line(`d${at}`)}\n`);
    expect(
      await eventually(
        () => stagedRows(world),
        (rows) => rows >= 1_000,
      ),
    ).toBeGreaterThanOrEqual(1_000);
    sending.destroy();
    expect(
      await eventually(
        () => stagedRows(world),
        (rows) => rows === 0,
      ),
    ).toBe(0);
    expect((await api.call('GET', `/info?taskId=${taskId}`)).status).toBe(404);
    expect((await listTasks(world.client, { statuses: ['pending'] })).total).toBe(0);
    server.close();
  });

  test('is not read faster than it is staged', async () => {
    let pulled = 0;
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          if (pulled > 50) controller.close();
          else controller.enqueue(encoder.encode(`${pulled}\n`));
        },
      },
      { highWaterMark: 0 },
    );
    for await (const { number } of readLines(body, 100)) expect(pulled - number).toBeLessThanOrEqual(1);
    expect(pulled).toBe(51);
  });

  test('is refused if a line is longer than allowed', async () => {
    const read = async (text: string) => {
      const seen: string[] = [];
      for await (const { number, bytes: got } of readLines(new Blob([text]).stream(), 5))
        seen.push(`${number}:${Buffer.from(got)}`);
      return seen;
    };
    expect(await read('12345\n\nab')).toEqual(['1:12345', '3:ab']);
    await expect(read('a\n123456')).rejects.toMatchObject({ type: 'InvalidInput', issues: [{ path: 'line 2' }] });
    await expect(read('a\n\uD800'.repeat(1))).resolves.toEqual(['1:a', '2:\uFFFD']);
  });
});
