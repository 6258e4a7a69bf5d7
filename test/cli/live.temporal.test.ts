import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type System, startSystem } from '../support/system.ts';
import { cli, commands } from './support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await system.reembed.indexes.create('docs-v1', { model: { provider: 'hash', dimensions: 16 } });
  await system.reembed.aliases.set('docs', 'docs-v1');
  await system.reembed.tasks.upsert(
    { taskId: 'first', index: 'docs', items: [{ id: 'a', payload: 'a lion' }] },
    { wait: true },
  );
});
afterAll(() => system?.stop());

const reembed = (args: string[], options: Parameters<typeof cli>[1] = {}) =>
  cli(args, { ...options, env: { REEMBED_URL: system.url, REEMBED_CACHE_DIR: '/nonexistent' } });

test('watch without a task prints a line for each change of any task, until Ctrl-C', async () => {
  const watched = await reembed(['tasks', 'watch'], { interruptOn: /^first {2}upsert {2}done {2}1\/1$/m });
  expect(watched).toMatchObject({ code: 130, err: '' });
});

test('watch on a terminal draws a table, and the next one in its place', async () => {
  const terminal = new PassThrough();
  // The second table shows the task that was started when the first one was there.
  const second = /\[0J.*WHAT +STATUS +DONE.*upsert.* done +1\/1.*first.*\[\d+A.*\[0J.*upsert.*second/s;
  terminal.once('data', () => {
    void system.reembed.tasks.upsert({ taskId: 'second', index: 'docs', items: [{ id: 'b', payload: 'a tiger' }] });
  });
  const drawn = await reembed(['tasks', 'watch', '--type', 'upsert'], { interruptOn: second, terminal });
  expect(drawn).toMatchObject({ code: 130, out: '' });
});

test('shell completion asks the API for values', async () => {
  const next = async (...words: string[]) => (await reembed(['complete', '--', ...words])).out;
  expect(await next('tasks', 'info', 'fir')).toBe('first\tupsert, done\n');
  expect(await next('search', 'docs')).toBe('docs-v1\thash/hash-v1\ndocs\talias of docs-v1\n');
  expect(await next('reindex', '--alias', 'd')).toBe('docs\tpoints to docs-v1\n');
});

/** A line for every command that calls the API, with its exit code where that is not 0. */
const JSON_COMMANDS: readonly (readonly [line: string, code?: number])[] = [
  ['index create json-v1 --provider hash'],
  ['index list'],
  ['index show json-v1'],
  ['alias set json json-v1'],
  ['alias list'],
  ['queries sample json-sampled --alias json', 2],
  ['alias sampling json --share 0.5 --keep 1h'],
  ['alias searches json'],
  ['upsert - --index json --wait --task-id json-1'],
  ['export json /dev/null', 2],
  ['import - --index json', 2],
  ['search json jay'],
  ['search json jay --also json-v1'],
  ['search json jay --also json-v0', 1],
  ['search-batch json -', 2],
  ['search json jay --after json-1'],
  ['wait json json-1 --timeout 60'],
  ['objects history json j'],
  ['objects list json --filter {} --limit 5'],
  ['objects get json j'],
  ['embed json jay magpie --purpose document'],
  ['search json --like j --fields text,payload.title --offset 0 --min-score 0.1 --group part'],
  ['reindex json json-v2 --provider hash --plan'],
  ['reindex json json-v2 --provider hash --task-id json-2'],
  ['queries import json-set -', 2],
  ['queries known-item json-set json-v1'],
  ['queries list'],
  ['queries show json-set'],
  ['sources add json no-such-table --index json --text body --plan', 2],
  ['sources list'],
  ['sources get json', 1],
  ['sources stop json', 1],
  ['sources start json', 1],
  ['sources sync json --task-id json-5', 1],
  ['sources audit json --task-id json-5', 1],
  ['sources remove json', 1],
  ['evaluate json-v1 json-v2 json-set --task-id json-4', 3],
  ['evaluation json-4', 3],
  ['audit json-v1 --task-id json-5'],
  ['index patch json-v1 --hnsw-m 8 --task-id json-6'],
  ['queries delete json-set'],
  ['delete j --index json --wait'],
  ['tasks list'],
  ['tasks counts'],
  ['tasks info json-1'],
  ['tasks input json-1'],
  ['tasks live-writes json-1'],
  ['tasks watch json-1'],
  ['tasks failed-items json-2'],
  ['tasks cancel json-1'],
  ['tasks pause json-1', 1],
  ['tasks resume json-1', 1],
  ['tasks ignore json-1', 1],
  ['tasks restart json-1'],
  ['tasks restart --all --index json --status failed --dry-run'],
  ['tasks throttle json-2 5', 1],
  ['tasks approve json-2', 1],
  ['tasks reject json-2', 1],
  ['tasks roll-back json-2', 1],
  ['tasks reads json-2 --shadow 0.1', 1],
  ['tasks budget json-2 --usd 5', 1],
  ['jobs list'],
  ['jobs run any --task-id json-3'],
  ['schedules add any --every 1d'],
  ['schedules list'],
  ['schedules get any'],
  ['schedules next any'],
  ['schedules pause any'],
  ['schedules resume any'],
  ['schedules run any'],
  ['schedules remove any'],
  ['alias delete json'],
  ['index delete json-v1 --wait'],
  ['health'],
  ['config'],
  ['doctor'],
  ['tokens create ann'],
  ['models list'],
  ['models install all-minilm-l6-v2 --from /nowhere', 1],
];

test('every command with JSON output is in this table', () => {
  // These run until they are stopped, speak another protocol, or migrate the user's database.
  const others = ['dev', 'worker', 'api', 'migrate', 'completion', 'mcp'];
  const tried = JSON_COMMANDS.map(([line]) => line);
  expect(
    commands().filter((command) => ![...tried, ...others].some((line) => `${line} `.startsWith(`${command} `))),
  ).toEqual([]);
});

test.each(JSON_COMMANDS.map(([line, code = 0]) => [line, code] as const))(
  '`%s --json` prints lines of JSON, and %s is its exit code',
  async (line, code) => {
    const { out, ...rest } = await reembed([...line.split(' '), '--json'], {
      stdin: '{"id": "j", "payload": "A jay steals shiny things and hides them in the old garden wall."}',
    });
    expect(rest).toEqual({ code, err: expect.stringMatching(/^(task \S+\n)?$/) });
    const lines = out.split('\n').filter((text) => text !== '');
    for (const json of lines) expect(() => JSON.parse(json), json).not.toThrow();
    // One per line, possibly none.
    if (!/^(tasks failed-items|alias searches)/.test(line)) expect(lines).not.toEqual([]);
  },
);
