import { temporal } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { CliProcess } from '../cli/support.ts';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';
import { builtMain } from '../support/build.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { type EmbeddingServer, startEmbeddingServer } from '../support/embedding-server.ts';
import { startTemporal } from '../support/rig.ts';

/** One in every place that may have a secret. */
const SECRETS = {
  apiToken: 'm4rk3r-of-the-api-token-at-full-length',
  wrongToken: 'm4rk3r-of-a-wrong-token',
  modelKey: 'm4rk3r-of-the-model-key',
  databasePassword: 'm4rk3r-of-the-database',
  encryptionKey: Buffer.from('m4rk3r-of-the-encryption-key-32b').toString('base64'),
  payload: 'm4rk3r-of-the-payload',
  metadata: 'm4rk3r-of-the-metadata',
  signedUri: 'm4rk3r-of-the-signed-uri',
  searched: 'm4rk3r-of-the-search',
};

let environment: TestWorkflowEnvironment;
let database: TestDatabase;
let embeddings: EmbeddingServer;
beforeAll(async () => {
  [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
  // A provider that repeats what it was sent.
  embeddings = await startEmbeddingServer({
    dimensions: 8,
    apiKey: SECRETS.modelKey,
    behave: ({ texts, headers }) =>
      texts.some((text) => text.includes('refuse'))
        ? { kind: 'error', status: 400, message: `bad input: ${texts.join()} with ${headers.authorization}` }
        : { kind: 'embed' },
  });
});
afterAll(async () => {
  await embeddings?.close();
  await environment?.teardown();
  await database?.close();
});

/** Everything that Temporal stores of all tasks, as bytes. */
async function bytesOfTemporal(): Promise<Buffer> {
  const { workflowService } = environment.client;
  const namespace = environment.namespace ?? 'default';
  const { executions } = await workflowService.listWorkflowExecutions({ namespace });
  const kept = await Promise.all(
    executions.map(async ({ execution }) => {
      const { history } = await workflowService.getWorkflowExecutionHistory({ namespace, execution });
      return temporal.api.history.v1.History.encode(history ?? {}).finish();
    }),
  );
  const { ListWorkflowExecutionsResponse } = temporal.api.workflowservice.v1;
  return Buffer.concat([...kept, ListWorkflowExecutionsResponse.encode({ executions }).finish()]);
}

const foundIn = (text: string | Buffer) =>
  Object.entries(SECRETS).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));

test.each([
  ['without encryption', {}],
  ['with encryption', { REEMBED_ENCRYPTION_KEYS: `k:${SECRETS.encryptionKey}` }],
])('no secret and no payload is in logs, trackers or histories, %s', { timeout: 180_000 }, async (_how, encryption) => {
  const address = new URL(database.url);
  address.username = 'postgres';
  address.password = SECRETS.databasePassword;
  const dev = new CliProcess(
    ['dev', '--json', '--port', '0', '--data-dir', freshFolder()],
    {
      TEMPORAL_ADDRESS: environment.address,
      TEMPORAL_NAMESPACE: environment.namespace,
      DATABASE_URL: address.href,
      REEMBED_API_TOKENS: `ann:admin:${SECRETS.apiToken}`,
      REEMBED_LOG_LEVEL: 'trace',
      REEMBED_TASK_QUEUE: `secrets-${Object.keys(encryption).length}`,
      MODEL_KEY: SECRETS.modelKey,
      REEMBED_MODEL_KEYS: 'MODEL_KEY=127.0.0.1',
      ...encryption,
    },
    [builtMain()],
  );
  const answers: string[] = [];
  try {
    const [line] = await dev.prints(/\{"api":.*\}\n/);
    const { api } = JSON.parse(line) as { api: string };
    const reembed = createClient({ baseUrl: api, token: SECRETS.apiToken });
    const index = `docs-${Object.keys(encryption).length}`;
    const model = {
      provider: 'openai',
      name: 'm',
      dimensions: 8,
      baseUrl: embeddings.url,
      apiKeyEnv: 'MODEL_KEY',
    } as const;
    await reembed.indexes.create(index, { model });
    const good = { id: 'a', payload: SECRETS.payload, metadata: { note: SECRETS.metadata } };
    const done = await reembed.tasks.upsert({ index, items: [good] }, { wait: true });
    expect(done).toMatchObject({ status: 'done', data: { written: 1 } });
    const bad = [
      { ...good, id: 'b', payload: `refuse ${SECRETS.payload}` },
      { id: 'c', uri: `http://user:${SECRETS.signedUri}@127.0.0.1:1/x` },
      { id: 'd', uri: `http://127.0.0.1:1/x?signature=${SECRETS.signedUri}#${SECRETS.signedUri}` },
    ];
    const failed = await reembed.tasks.upsert({ index, items: bad, maxAttempts: 1 } as never, { wait: true });
    expect(failed.progress.failed).toBe(3);
    const reindex = { source: index, dest: `${index}-2`, destModel: { provider: 'hash', dimensions: 16 } } as const;
    const rebuilt = await reembed.tasks.reindex(reindex, { wait: true });
    expect(rebuilt.status).toBe('done');
    await reembed.search(index, { text: `refuse ${SECRETS.searched}` }).catch((error) => answers.push(error.message));

    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = {
        authorization: `Bearer ${SECRETS.apiToken}`,
        'content-type': 'application/json',
        ...init.headers,
      };
      answers.push(await (await fetch(api + path, { ...init, headers })).text());
    };
    await ask('/v1/indexes', { headers: { authorization: `Bearer ${SECRETS.wrongToken}` } });
    await ask('/v1/tasks/upsert/run', { method: 'POST', body: `{"index": "${index}", "items": [{"${SECRETS.payload}` });
    await ask('/v1/tasks/upsert/run', {
      method: 'POST',
      body: JSON.stringify({ index, items: [{ id: 7, payload: SECRETS.payload, metadata: SECRETS.metadata }] }),
    });
    for (const { id } of [done, failed, rebuilt]) {
      for (const call of ['info', 'failed-items', 'events']) await ask(`/v1/tasks/${call}?taskId=${id}`);
    }
    for (const path of ['/v1/tasks/list', '/v1/indexes', '/v1/me', '/v1/schedules', '/metrics', '/readyz'])
      await ask(path);
  } finally {
    await dev.ends('SIGTERM');
  }
  const printed = dev.out + dev.err;
  // There is something to search in.
  expect(answers.join()).toContain('"failed":3');
  expect(printed).toMatch(/"level":"debug"/);
  expect(foundIn(printed)).toEqual([]);
  expect(foundIn(answers.join('\n'))).toEqual([]);
  expect(foundIn(await bytesOfTemporal())).toEqual([]);
});
