import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type ReembedClient } from '../../../src/client/client.ts';
import type { Role } from '../../../src/contract/roles.ts';
import { builtMain } from '../../support/build.ts';
import { type System, startSystem } from '../../support/system.ts';

const TOKENS = (['view', 'operate', 'approve', 'admin'] as const).map((role) => ({
  name: role,
  role,
  token: `the-secret-token-of-${role}`,
}));
const tokenOf = (role: Role) => `the-secret-token-of-${role}`;

let system: System;
let url: string;
let admin: ReembedClient;
const open: Client[] = [];
beforeAll(async () => {
  system = await startSystem();
  url = await system.listen({ apiTokens: TOKENS });
  admin = createClient({ baseUrl: url, token: tokenOf('admin') });
  await admin.indexes.create('docs', { model: { provider: 'hash', dimensions: 32 } });
  const items = [
    { id: 'a', payload: 'a lion sleeps', metadata: { lang: 'en' } },
    { id: 'b', payload: 'ein Löwe schläft', metadata: { lang: 'de' } },
    { id: 'long', payload: `long ${'word '.repeat(30_000)}`, metadata: { lang: 'xx' } },
  ];
  await admin.tasks.upsert({ taskId: 'first', index: 'docs', items }, { wait: true });
});
afterAll(async () => {
  for (const client of open) await client.close();
  await system?.stop();
});

/** Starts `reembed mcp` as a program with a language model does. */
async function connect(token: string, ...options: string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const env = { PATH: process.env.PATH ?? '', REEMBED_URL: url, REEMBED_TOKEN: token };
  const args = [builtMain(), 'mcp', ...options];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
  open.push(client);
  return client;
}

const namesOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);

async function call(client: Client, name: string, input: Record<string, unknown> = {}) {
  const { content, isError = false } = await client.callTool({ name, arguments: input });
  const [{ text }] = content as [{ text: string }];
  return { isError, text, value: isError ? undefined : JSON.parse(text) };
}

const READS = ['list_indexes', 'list_tasks', 'get_task', 'list_failed_items'];
const OPERATES = ['search', 'get_object', 'pause_task', 'resume_task', 'cancel_task'];

test('an MCP client sees the tools that the role of its token allows, and a call of another one is refused', async () => {
  const view = await connect(tokenOf('view'));
  expect((await namesOf(view)).sort()).toEqual([...READS].sort());
  expect(await call(view, 'search', { index: 'docs', query: 'lion' })).toMatchObject({ isError: true });
  const operate = await connect(tokenOf('operate'));
  expect((await namesOf(operate)).sort()).toEqual([...READS, ...OPERATES].sort());
  const approve = await connect(tokenOf('approve'));
  expect((await namesOf(approve)).sort()).toEqual([...READS, ...OPERATES, 'approve_task', 'reject_task'].sort());
  const readOnly = await connect(tokenOf('approve'), '--read-only');
  expect((await namesOf(readOnly)).sort()).toEqual([...READS, 'search', 'get_object'].sort());
  const described = JSON.stringify([await approve.listTools(), approve.getServerVersion(), approve.getInstructions()]);
  expect(described).not.toContain('secret');
});

test('an MCP client lists indexes, searches with a filter, and reads a long text in pieces', async () => {
  const client = await connect(tokenOf('operate'));
  const { value } = await call(client, 'list_indexes');
  expect(value).toMatchObject({ total: 1, indexes: [{ name: 'docs', model: 'hash/hash-v1', objects: 3 }] });
  const found = await call(client, 'search', { index: 'docs', query: 'a lion sleeps', limit: 1 });
  expect(found.value).toMatchObject({
    complete: true,
    hits: [{ id: 'a', text: 'a lion sleeps', metadata: { lang: 'en' } }],
  });
  const proto = JSON.parse('{"__proto__": "en"}');
  expect((await call(client, 'search', { index: 'docs', query: 'lion', filter: proto })).value?.hits ?? []).toEqual([]);
  const german = await call(client, 'search', { index: 'docs', query: 'lion', filter: { lang: 'de' } });
  expect(german.value.hits).toMatchObject([{ id: 'b' }]);
  const all = await call(client, 'search', { index: 'docs', query: 'word' });
  expect(all.text.length).toBeLessThan(25_000);
  expect(all.value.hits).toHaveLength(3);
  expect(all.value.hits[0]).toMatchObject({ id: 'long', shortened: ['text'] });
  let text = '';
  let offset: number | null = 0;
  for (let pieces = 0; offset !== null; pieces++) {
    const piece = await call(client, 'get_object', { index: 'docs', id: 'long', offset });
    expect([piece.isError, pieces]).toEqual([false, expect.any(Number)]);
    expect(pieces).toBeLessThan(20);
    text += piece.value.text;
    offset = piece.value.nextOffset;
  }
  expect(text).toBe((await admin.objects.get('docs', 'long')).payload);
});

test('an MCP client gets the errors of the API and of its own input as errors of the tool', async () => {
  const client = await connect(tokenOf('operate'));
  const unknown = await call(client, 'search', { index: 'nope', query: 'lion' });
  expect(unknown).toMatchObject({ isError: true, text: expect.stringMatching(/^IndexNotFound: .*nope/) });
  expect(await call(client, 'get_object', { index: 'docs', id: 'zz' })).toMatchObject({ isError: true });
  const bad = await call(client, 'search', { index: 'docs', query: 'lion', limit: 'many' });
  expect(bad).toMatchObject({ isError: true, text: expect.stringContaining('limit') });
});

test('an MCP client inspects and controls tasks, and approves a reindex', async () => {
  const client = await connect(tokenOf('approve'));
  const listed = await call(client, 'list_tasks', { type: 'upsert' });
  expect(listed.value).toMatchObject({ total: 1, tasks: [{ id: 'first', status: 'done' }] });
  expect((await call(client, 'list_failed_items', { taskId: 'first' })).value).toEqual({ total: 0, items: [] });
  await admin.aliases.set('live', 'docs');
  const body = { taskId: 're', source: 'live', dest: 'docs-v2', approve: 'manual' } as const;
  await admin.tasks.reindex({ ...body, destModel: { provider: 'hash', dimensions: 16 } });
  const task = async () => (await call(client, 'get_task', { taskId: 're' })).value;
  await expect.poll(task, { timeout: 90_000 }).toMatchObject({ status: 'waiting', data: { phase: 'approval' } });
  expect((await call(client, 'pause_task', { taskId: 're' })).isError).toBe(false);
  await expect.poll(task, { timeout: 90_000 }).toMatchObject({ status: 'paused' });
  await call(client, 'resume_task', { taskId: 're' });
  await expect.poll(task, { timeout: 90_000 }).toMatchObject({ status: 'waiting' });
  const approved = await call(client, 'approve_task', { taskId: 're', reason: 'looks right' });
  expect(approved.isError).toBe(false);
  expect(await admin.tasks.wait('re')).toMatchObject({
    status: 'done',
    steering: [{ call: 'approve', by: 'approve', reason: 'looks right' }, {}, {}],
  });
  expect((await call(client, 'reject_task', { taskId: 're' })).text).toMatch(/^TaskClosed/);
});

test('reembed mcp ends without a word of protocol if its token is refused', async () => {
  await expect(connect('not-a-token')).rejects.toThrow(/closed/i);
});
