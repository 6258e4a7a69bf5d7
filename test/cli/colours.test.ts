import { expect, test } from 'vitest';
import { hasColours } from '../../src/cli/paint.ts';
import { cli } from './support.ts';

const ESCAPE = '\u001b[';

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ TERM: 'dumb' }, true, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
])('the environment %j, on a terminal: %s, turns colors on: %s', (env, isTTY, expected) => {
  expect(hasColours(env, { isTTY })).toBe(expected);
});

test.each([true, false])('errors and the headings of help are colored when colors are on: %s', async (colours) => {
  expect((await cli(['search', 'x', 'y', '--url', 'http://127.0.0.1:1'], { colours })).err.includes(ESCAPE)).toBe(
    colours,
  );
  expect((await cli(['tasks', '--help'], { colours })).out.includes(ESCAPE)).toBe(colours);
});

test('colors take no space in a table, and JSON has none', async () => {
  const { taskTable } = await import('../../src/cli/task-output.ts');
  const { paintIf } = await import('../../src/cli/paint.ts');
  const rows = [
    { id: 'a', type: 'upsert', status: 'done', createTime: 'now', detail: '' },
    { id: 'b', type: 'reindex', status: 'processing', createTime: 'now', detail: 'on' },
  ] as Parameters<typeof taskTable>[0];
  const coloured = taskTable(rows, paintIf(true));
  expect(coloured).toContain(`${ESCAPE}32mdone`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are removed
  const bare = (text: string) => text.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '');
  expect(bare(coloured)).toBe(taskTable(rows, paintIf(false)));
  expect((await cli(['config', '--json'], { colours: true })).out).not.toContain(ESCAPE);
});
