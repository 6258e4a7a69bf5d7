import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, onTestFinished, test } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../../src/contract/names.ts';
import { freePort } from '../../../src/runtime/servers/ports.ts';
import { startTemporalDevServer, type TemporalDevServer } from '../../../src/runtime/servers/temporal.ts';
import { firstLine, isThere, killHard, startChild } from './fixtures/child.ts';
import { freshFolder } from './fixtures/folder.ts';

const env = process.env;

async function withClient<Result>(server: TemporalDevServer, work: (client: Client) => Promise<Result>) {
  const connection = await Connection.connect({ address: server.address });
  try {
    return await work(new Client({ connection, namespace: server.namespace }));
  } finally {
    await connection.close();
  }
}

test('workflows, search attributes and namespace in a file survive a stop and a crash', async () => {
  const dbFilename = path.join(freshFolder(), 'deep/temporal.db');
  const options = { dbFilename, namespace: 'team', searchAttributes: SEARCH_ATTRIBUTES, env, say: () => {} };
  const first = await startTemporalDevServer(options);
  expect(first.uiUrl).toBeNull();
  const runId = await withClient(first, async (client) => {
    const started = { taskQueue: 'nobody', workflowId: 'w', searchAttributes: { TaskType: ['upsert'] } };
    return (await client.workflow.start('waits', started)).firstExecutionRunId;
  });
  await first.stop();
  expect(await isThere(first.process.pid as number)).toBe(false);

  const second = await startTemporalDevServer(options);
  const find = (client: Client) => client.workflow.getHandle('w').describe();
  expect(await withClient(second, find)).toMatchObject({ runId, searchAttributes: { TaskType: ['upsert'] } });
  await second.kill();

  const third = await startTemporalDevServer(options);
  expect(await withClient(third, find)).toMatchObject({ runId, status: { name: 'RUNNING' } });
  await third.stop();
});

test('a port in use is replaced by the next free one, for the server and its UI', async () => {
  const lines: string[] = [];
  const port = await freePort('127.0.0.1', 27_000 + Math.floor(Math.random() * 1_000));
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void holder.close());
  const logFile = path.join(freshFolder(), 'temporal.log');
  const server = await startTemporalDevServer({
    port,
    uiPort: port,
    searchAttributes: {},
    env,
    logFile,
    say: (line) => void lines.push(line),
  });
  expect(server.address).not.toBe(`127.0.0.1:${port}`);
  expect(server.uiUrl).not.toBe(`http://${server.address}`);
  expect(lines).toEqual([expect.stringMatching(`^port ${port} is in use, Temporal listens on `)]);
  expect((await fetch(server.uiUrl as string)).status).toBe(200);
  expect(readFileSync(logFile, 'utf8')).toContain('Temporal Server:');
  await server.stop();
});

test('a server does not outlive a killed process, and the next start gets its file immediately', async () => {
  const dbFilename = path.join(freshFolder(), 'temporal.db');
  const owner = startChild('./temporal-child.ts', dbFilename);
  const pid = Number(await firstLine(owner));
  expect(await isThere(pid)).toBe(true);
  await killHard(owner);
  const next = await startTemporalDevServer({ dbFilename, searchAttributes: {}, env, say: () => {} });
  expect(await isThere(pid)).toBe(false);
  await next.stop();
});

test('a server whose process was killed ends even without a next start', async () => {
  const owner = startChild('./temporal-child.ts', path.join(freshFolder(), 'temporal.db'));
  const pid = Number(await firstLine(owner));
  await killHard(owner);
  await expect.poll(() => isThere(pid)).toBe(false);
});

test('a second server on the same file is refused', async () => {
  const dbFilename = path.join(freshFolder(), 'temporal.db');
  const options = { dbFilename, searchAttributes: {}, env, say: () => {} };
  const first = await startTemporalDevServer(options);
  await expect(startTemporalDevServer(options)).rejects.toMatchObject({ name: 'DataDirInUse' });
  await first.stop();
});

test('a server that does not start, or dies, is reported with its output', async () => {
  const options = { searchAttributes: {}, env, say: () => {} };
  await expect(startTemporalDevServer({ ...options, dbFilename: freshFolder() })).rejects.toMatchObject({
    name: 'ServerUnavailable',
    message: expect.stringContaining('did not start: Error:'),
  });
  const server = await startTemporalDevServer(options);
  server.process.kill('SIGKILL');
  expect(await server.died).toMatchObject({ name: 'ServerUnavailable', message: expect.stringContaining('SIGKILL') });
  await server.stop();
});
