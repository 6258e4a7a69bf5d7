import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ApiToken } from '../../../src/contract/api-tokens.ts';
import { givenIndex } from '../../support/rig.ts';
import { type System, startSystem } from '../../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await givenIndex(system.database.db, 'watched');
});
afterAll(() => system?.stop());

const sse = { accept: 'text/event-stream' };

it('HEAD of a stream returns its headers and starts no stream', async () => {
  const { url, environment, reembed } = system;
  const { id } = await reembed.tasks.deleteIndex({ index: 'watched', after: '1h' });
  const { workflowService } = environment.client;
  for (const path of [
    '/v1/tasks/list',
    `/v1/tasks/events?taskId=${id}`,
    `/v1/tasks/delete-index/events?taskId=${id}`,
  ]) {
    for (let times = 0; times < 10; times++) {
      const answer = await fetch(url + path, { method: 'HEAD', headers: sse });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    }
  }
  const calls = [vi.spyOn(workflowService, 'listWorkflowExecutions'), vi.spyOn(workflowService, 'queryWorkflow')];
  await sleep(3_000);
  for (const call of calls) {
    expect(call).not.toHaveBeenCalled();
    call.mockRestore();
  }
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/reembed_http_event_streams 0/);
  await reembed.tasks.cancel(id);
});

it('a stream makes no more calls after its reader disconnects', async () => {
  const { url, environment } = system;
  const left = new AbortController();
  const answer = await fetch(`${url}/v1/tasks/list`, { headers: sse, signal: left.signal });
  await answer.body?.getReader().read();
  left.abort();
  await sleep(2_500);
  const asks = vi.spyOn(environment.client.workflowService, 'listWorkflowExecutions');
  await sleep(2_500);
  expect(asks).not.toHaveBeenCalled();
  asks.mockRestore();
});

it('a stream ends when its token is withdrawn', async () => {
  const tokens: ApiToken[] = [{ name: 'ann', role: 'view', token: 'a-token-that-is-withdrawn' }];
  const url = await system.listen({ apiTokens: () => tokens, heartbeatMs: 200 });
  const headers = { ...sse, authorization: 'Bearer a-token-that-is-withdrawn' };
  const answer = await fetch(`${url}/v1/tasks/list`, { headers });
  const whole = answer.text();
  await sleep(1_000);
  tokens.pop();
  expect(await whole).toMatch(/^event: tasks\n.*: still here/s);
  expect((await fetch(`${url}/v1/tasks/list`, { headers })).status).toBe(401);
});
