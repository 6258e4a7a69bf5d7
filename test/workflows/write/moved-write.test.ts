import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setAlias } from '../../../src/store/aliases.ts';
import { findIndex } from '../../../src/store/indexes.ts';
import { getObject } from '../../../src/store/objects.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal } from '../../support/rig.ts';

let database: TestDatabase;
let environment: TestWorkflowEnvironment;
let rig: Rig;
beforeAll(async () => {
  database = await openPostgresDatabase();
  environment = await startTemporal('dev');
  rig = await startRig({ environment, db: database.db });
});
afterAll(async () => {
  await rig?.stop();
  await environment?.teardown();
  await database?.close();
});

test('a write whose index is replaced and deleted while it loads goes to the index that serves now', async () => {
  const { db } = database;
  await givenIndex(db, 'old', { alias: 'docs' });
  const next = await givenIndex(db, 'new');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/text`;
  // More items than a write within the workflow task takes, since that is interrupted after some seconds.
  const items = Array.from({ length: 9 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
  const handle = await rig.start('upsert', { index: 'docs', items: [...items, { id: 'far', uri }] });
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  await setAlias(db, 'docs', 'new');
  expect(await rig.run('delete-index', { index: 'old' })).toMatchObject({ status: 'done' });
  const answer = (to: ServerResponse) => to.writeHead(200, { 'content-type': 'text/plain' }).end('loaded');
  server.on('request', (_request, to) => answer(to));
  answer(response);
  expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 1, errors: [], data: { written: 10 } });
  expect(await findIndex(db, 'old')).toBeUndefined();
  expect(await getObject(db, next, 'far')).toMatchObject({ payload: 'loaded' });
  server.close();
});
