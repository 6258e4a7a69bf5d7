import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type System, startSystem } from '../support/system.ts';
import { runProgram, runScript } from './support.ts';

// Each starts its own processes.
vi.setConfig({ testTimeout: 180_000 });

let system: System;
const folder = mkdtempSync(path.join(tmpdir(), 'reembed-examples-'));
beforeAll(async () => {
  system = await startSystem();
});
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const WORDS = { model: { provider: 'words' } } as const;

it('langchain writes documents, finds the best one for a question, and filters', async () => {
  const question = 'Where do big cats rest?';
  const run = await runScript('examples/langchain/answer.ts', [question, 'lc-example'], { REEMBED_URL: system.url });
  expect([run.code, run.error]).toEqual([0, '']);
  expect(run.out).toMatch(/^0\.\d\d lion: Lions sleep .*\n0\.\d\d \w+: .*\nfish: Carps live in warm, slow rivers\.\n$/);
});

it('ai-sdk lets a language model search before it answers', async () => {
  const { reembed, url } = system;
  await reembed.indexes.create('ai-example', WORDS);
  const items = [
    { id: 'lion', payload: 'Lions sleep in the shade of acacia trees.' },
    { id: 'carp', payload: 'Carps live in warm, slow rivers.' },
  ];
  await reembed.tasks.upsert({ index: 'ai-example', items }, { wait: true });
  // An OpenAI-compatible language model that searches once, and then repeats what it found.
  const calls: { messages: { role: string; content: string }[] }[] = [];
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as (typeof calls)[number];
    calls.push(body);
    const call = { name: 'search', arguments: '{"query": "big cats rest", "limit": 1}' };
    const message =
      calls.length === 1
        ? { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: call }] }
        : { role: 'assistant', content: `I found ${body.messages.at(-1)?.content}` };
    const choices = [{ index: 0, message, finish_reason: calls.length === 1 ? 'tool_calls' : 'stop' }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: 'r', created: 1, model: 'm', choices, usage: {} }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const LLM_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { REEMBED_URL: url, LLM_URL, OPENAI_API_KEY: 'none' };
    const run = await runScript('examples/ai-sdk/ask.ts', ['ai-example'], env);
    expect([run.code, run.error]).toEqual([0, '']);
    expect(run.out).toMatch(/^searched: \{"query":"big cats rest","limit":1\}\nI found .*Lions sleep in the shade/);
    expect(run.out).not.toContain('Carps');
  } finally {
    server.close();
  }
});

const python = spawnSync('python3', ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 11))']).status === 0;
if (!python) console.warn('NO PYTHON 3.11 WITH VENV: the examples in Python are SKIPPED');

describe.skipIf(!python)('in Python', () => {
  it('python-http writes, finds and deletes objects, and reads an error', async () => {
    const { url } = system;
    const run = await runProgram('python3', ['examples/python-http/reembed_http.py', 'py-http'], { REEMBED_URL: url });
    expect([run.code, run.error]).toEqual([0, '']);
    expect(run.out).toMatch(
      /^lion: Lions sleep in the shade\.\ncarp: Carps live in slow rivers\.\nObjectNotFound: .*carp.*\n$/,
    );
    const unknown =
      "import reembed_http as r; r.Reembed(r.os.environ['REEMBED_URL']).upsert('nope', [{'id': 'a', 'payload': 'b'}])";
    const failed = await runProgram('python3', ['-c', unknown], {
      REEMBED_URL: url,
      PYTHONPATH: 'examples/python-http',
      PYTHONDONTWRITEBYTECODE: '1',
    });
    expect([failed.code, failed.error]).toEqual([1, expect.stringMatching(/ReembedError: .*nope/)]);
  });

  it('python-temporal starts an upsert, and a reindex that it pauses and resumes', async () => {
    const { reembed, environment, rig } = system;
    await reembed.indexes.create('py-v1', { model: { provider: 'hash', dimensions: 16 } });
    await reembed.aliases.set('py', 'py-v1');
    const venv = path.join(folder, 'venv');
    const made = await runProgram('python3', ['-m', 'venv', venv], {});
    expect(made).toMatchObject({ code: 0 });
    const requirements = 'examples/python-temporal/requirements.txt';
    const installed = await runProgram(path.join(venv, 'bin/pip'), ['install', '-q', '-r', requirements], {});
    expect(installed.code, installed.error).toBe(0);
    const run = await runProgram(path.join(venv, 'bin/python'), ['examples/python-temporal/tasks.py', 'py', 'py-v2'], {
      TEMPORAL_ADDRESS: environment.connection.options.address,
      TEMPORAL_NAMESPACE: environment.client.options.namespace,
      REEMBED_TASK_QUEUE: rig.taskQueue,
    });
    expect([run.code, run.error]).toEqual([0, '']);
    expect(run.out).toMatch(/^upsert is done: .*20 written\nreindex is paused\nreindex is done: .*py-v2.*\n$/);
    expect(await reembed.indexes.get('py')).toMatchObject({ name: 'py-v2', objects: 20 });
  });
});
