import { generateText, stepCountIs, type ToolSet } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { searchTool, upsertTool } from '../../../src/integrations/ai/index.ts';
import { type System, startSystem } from '../../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.reembed.indexes.create('docs', { model: { provider: 'hash', dimensions: 32 } });
  const items = [
    { id: 'a', payload: 'a lion sleeps', metadata: { tenant: 'one' } },
    { id: 'b', payload: 'a lion hunts', metadata: { tenant: 'two' } },
  ];
  await system.reembed.tasks.upsert({ index: 'docs', items }, { wait: true });
});
afterAll(() => system?.stop());

const USAGE = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

/** A language model that calls one tool, and then answers with a text. */
function modelThatCalls(toolName: string, input: unknown) {
  const end = { usage: USAGE, warnings: [] };
  return new MockLanguageModelV3({
    doGenerate: [
      {
        content: [{ type: 'tool-call', toolCallId: 'c1', toolName, input: JSON.stringify(input) }],
        finishReason: { unified: 'tool-calls', raw: 'tool_calls' },
        ...end,
      },
      { content: [{ type: 'text', text: 'answered' }], finishReason: { unified: 'stop', raw: 'stop' }, ...end },
    ],
  });
}

/** Lets the model call a tool, and returns what it reads then. */
async function toldAfter(tools: ToolSet, toolName: string, input: unknown) {
  const model = modelThatCalls(toolName, input);
  const { text } = await generateText({ model, tools, stopWhen: stepCountIs(3), prompt: 'What do lions do?' });
  expect(text).toBe('answered');
  const last = model.doGenerateCalls[1]?.prompt.at(-1);
  expect(last).toMatchObject({ role: 'tool', content: [{ type: 'tool-result', toolName }] });
  const { output } = (last as unknown as { content: [{ output: { type: string; value: unknown } }] }).content[0];
  return { output, offered: model.doGenerateCalls[0]?.tools };
}

test('searchTool gives a language model the texts that are nearest to its query', async () => {
  const tools = { search: searchTool({ client: system.reembed, index: 'docs', description: 'Knows lions.' }) };
  const { output, offered } = await toldAfter(tools, 'search', { query: 'a lion sleeps', limit: 1 });
  expect(offered).toMatchObject([{ name: 'search', description: 'Knows lions.' }]);
  expect(output).toMatchObject({
    type: 'json',
    value: { complete: true, hits: [{ id: 'a', text: 'a lion sleeps', metadata: { tenant: 'one' } }] },
  });
});

test('searchTool always applies its filter and limits, which the model cannot change', async () => {
  const tools = { search: searchTool({ client: system.reembed, index: 'docs', filter: { tenant: 'two' }, limit: 3 }) };
  const input = { query: 'a lion sleeps', filter: { tenant: 'one' } };
  const { output, offered } = await toldAfter(tools, 'search', input);
  expect(JSON.stringify(offered)).not.toContain('tenant');
  expect(output.value).toMatchObject({ hits: [{ id: 'b' }] });
  expect((output.value as { hits: unknown[] }).hits).toHaveLength(1);
  const refused = await toldAfter(tools, 'search', { query: 'lion', limit: 4 });
  expect(refused.output.type).toBe('error-text');
});

test('searchTool shares its characters among the hits, and says what it shortened', async () => {
  const { reembed } = system;
  await reembed.indexes.create('long', { model: { provider: 'hash', dimensions: 32 } });
  const items = ['x', 'y'].map((id) => ({
    id,
    payload: `${id} ${'word '.repeat(200)}`,
    metadata: { note: 'n'.repeat(id === 'x' ? 80 : 1) },
  }));
  await reembed.tasks.upsert({ index: 'long', items }, { wait: true });
  const tools = { search: searchTool({ client: reembed, index: 'long', maxChars: 300 }) };
  const { output } = await toldAfter(tools, 'search', { query: 'word' });
  const { hits } = output.value as { hits: { text: string; shortened: string[] }[] };
  expect(hits.map(({ text, shortened }) => [text.length, shortened])).toEqual([
    [150, ['text', 'metadata']],
    [138, ['text']],
  ]);
});

test('upsertTool stores a text for a language model, and searches find it', async () => {
  const { reembed } = system;
  const tools = { remember: upsertTool({ client: reembed, index: 'docs', metadata: { tenant: 'three' } }) };
  const { output } = await toldAfter(tools, 'remember', { text: 'a tiger swims', id: 't' });
  expect(output.value).toMatchObject({ id: 't', status: 'done' });
  expect(await reembed.objects.get('docs', 't')).toMatchObject({
    payload: 'a tiger swims',
    metadata: { tenant: 'three' },
  });
  const made = await toldAfter(tools, 'remember', { text: 'a tiger runs' });
  const { id } = made.output.value as { id: string };
  expect((await reembed.objects.get('docs', id)).payload).toBe('a tiger runs');
});

test('the tools pass errors on to the language model, and refuse bad options by name', async () => {
  const client = system.reembed;
  const tools = { search: searchTool({ client, index: 'nope' }), remember: upsertTool({ client, index: 'nope' }) };
  for (const [name, input] of [
    ['search', { query: 'lion' }],
    ['remember', { text: 'lion' }],
  ] as const) {
    const { output } = await toldAfter(tools, name, input);
    expect(output).toMatchObject({ type: 'error-text', value: expect.stringContaining('nope') });
  }
  expect(() => searchTool({ client, index: 'docs', limit: 0 })).toThrow(/^limit: /);
  expect(() => upsertTool({ client, index: 'docs', waitSeconds: -1 })).toThrow(/^waitSeconds: /);
});
