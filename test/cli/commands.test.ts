import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { SETTINGS } from '../../src/settings/table.ts';
import { cli } from './support.ts';

function leaves(command: Command, path: string[] = []): { path: string[]; command: Command }[] {
  const shown = command.createHelp().visibleCommands(command);
  const own = shown.filter((child) => child.name() !== 'help');
  if (own.length === 0) return [{ path, command }];
  return own.flatMap((child) => leaves(child, [...path, child.name()]));
}

const io = { env: {}, stdin: process.stdin, out: () => {}, err: () => {}, terminal: null, onInterrupt: () => () => {} };
const commands = leaves(createProgram(io));

describe('every command', () => {
  test('is in this list', () => {
    expect(commands.map(({ path }) => path.join(' ')).sort()).toMatchInlineSnapshot(`
      [
        "alias delete",
        "alias list",
        "alias sampling",
        "alias searches",
        "alias set",
        "api",
        "audit",
        "completion",
        "config",
        "delete",
        "dev",
        "doctor",
        "embed",
        "evaluate",
        "evaluation",
        "export",
        "health",
        "import",
        "index create",
        "index delete",
        "index list",
        "index patch",
        "index show",
        "jobs list",
        "jobs run",
        "mcp",
        "migrate",
        "models install",
        "models list",
        "objects get",
        "objects history",
        "objects list",
        "queries delete",
        "queries import",
        "queries known-item",
        "queries list",
        "queries sample",
        "queries show",
        "reindex",
        "schedules add",
        "schedules get",
        "schedules list",
        "schedules next",
        "schedules pause",
        "schedules remove",
        "schedules resume",
        "schedules run",
        "search",
        "search-batch",
        "sources add",
        "sources audit",
        "sources get",
        "sources list",
        "sources remove",
        "sources start",
        "sources stop",
        "sources sync",
        "tasks approve",
        "tasks budget",
        "tasks cancel",
        "tasks counts",
        "tasks failed-items",
        "tasks ignore",
        "tasks info",
        "tasks input",
        "tasks list",
        "tasks live-writes",
        "tasks pause",
        "tasks reads",
        "tasks reject",
        "tasks restart",
        "tasks resume",
        "tasks roll-back",
        "tasks throttle",
        "tasks watch",
        "tokens create",
        "upsert",
        "wait",
        "worker",
      ]
    `);
  });

  test.each(commands.map(({ path }) => path))('%s %s explains itself with an example', async (...path) => {
    const { code, out, err } = await cli([...path.filter(Boolean), '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Usage: reembed /);
    expect(out).toContain('Examples:\n  $ ');
    expect(out).toContain(`reembed ${path.filter(Boolean).join(' ')}`);
  });

  test('has --json, unless it prints no result', () => {
    const without = commands.filter(({ command }) => !command.options.some(({ long }) => long === '--json'));
    expect(without.map(({ path }) => path.join(' '))).toEqual(['worker', 'mcp', 'completion']);
  });
});

describe('a wrong command line exits with 2 and prints one line with the reason', () => {
  test.each([
    ['nope'],
    ['dev', '--nope'],
    ['worker', '--role', 'nobody'],
    ['index', 'create'],
    ['index', 'create', 'docs'],
    ['index', 'create', 'docs', '--dimensions', '3'],
    ['index', 'create', 'docs', '--provider', 'hash', '--dimensions', 'many'],
    ['index', 'create', 'docs', '--provider', 'hash', '--model', '{}'],
    ['index', 'create', 'docs', '--model', '{'],
    ['index', 'create', 'docs', '--provider', 'openai'],
    ['upsert', 'x.ndjson'],
    ['upsert', '/no/such/file', '--index', 'docs'],
    ['delete', '--index', 'docs'],
    ['reindex', 'docs', 'docs2', '--retire', 'soon'],
    ['reindex', 'docs', 'docs2', '--keep-current'],
    ['reindex', 'docs', 'docs2', '--approve', 'me'],
    ['reindex', 'docs', 'docs2', '--on-timeout', 'approve'],
    ['reindex', 'docs', 'docs2', '--approve', 'manual', '--approve-timeout', '91d'],
    ['reindex', 'a', 'b', '--watch', '1h'],
    ['reindex', 'a', 'b', '--watch', '1h', '--roll-back-if', 'errorShare=0.1'],
    ['reindex', 'a', 'b', '--roll-back-if', 'erorShare=0.1'],
    ['reindex', 'a', 'b', '--roll-back-if', 'errorShare'],
    ['search', 'docs', 'x', '--filter', '{'],
    ['search', 'docs', 'x', '--ef', 'wide'],
    ['search', 'docs'],
    ['search', 'docs', 'x', '--like', 'a'],
    ['search', 'docs', 'x', '--group', 'parts'],
    ['search', 'docs', '--like', 'a', '--also', 'news'],
    ['search', 'docs', 'x', '--also', 'news', '--offset', '0'],
    ['search', 'docs', 'x', '--also', 'news', '--after', 'a-task'],
    ['embed', 'docs'],
    ['embed', 'docs', 'x', '--purpose', 'both'],
    ['wait', 'docs'],
    ['objects', 'history', 'docs'],
    ['objects', 'list'],
    ['objects', 'list', 'docs', '--limit', 'many'],
    ['objects', 'get', 'docs'],
    ['search-batch', 'docs', '/no/such/file'],
    ['search-batch', 'docs'],
    ['search', 'docs', 'x', '--min-score', 'high'],
    ['tasks', 'list', '--status', 'lost'],
    ['tasks', 'list', '--since', 'lately'],
    ['tasks', 'counts', '--until', '5 lions'],
    ['tasks', 'cancel'],
    ['tasks', 'cancel', '--all'],
    ['tasks', 'cancel', 'x', '--all', '--index', 'docs'],
    ['tasks', 'restart', 'x', '--dry-run'],
    ['tasks', 'pause', '--status', 'failed'],
    ['tasks', 'pause', '--all', '--type', 'steer'],
    ['tasks', 'throttle', 'x', '-5'],
    ['tasks', 'reads', 'x', '--canary', '1.5'],
    ['tasks', 'budget', 'x', '--usd', '0'],
    ['alias', 'sampling', 'docs', '--share', '2'],
    ['alias', 'sampling', 'docs', '--keep', '7d'],
    ['alias', 'sampling', 'docs', '--share', '1', '--end'],
    ['queries', 'sample', 'live'],
    ['reindex', 'a', 'b', '--budget-usd', 'many'],
    ['jobs', 'run', 'x', '--input', '{'],
    ['jobs', 'run', 'x', '--options', '[]'],
    ['schedules', 'add', 'x'],
    ['schedules', 'run', 'x', '--overlap', 'maybe'],
    ['tasks', 'list', '--url', 'localhost'],
  ])('%s %s %s %s %s %s', async (...args) => {
    const { code, out, err } = await cli(args.filter((arg) => arg !== undefined));
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^error: [^\n]+\n/);
  });

  test('names the bound that was meant, the bound that is wrong and the option that is missing', async () => {
    const kept = ['--retire', '24h', '--keep-current'];
    const errorOf = async (...args: string[]) => (await cli(['reindex', 'a', 'b', ...args])).err;
    expect(await errorOf('--roll-back-if', 'erorShare=0.1')).toContain('did you mean errorShare?');
    expect(await errorOf(...kept, '--watch', '1h', '--roll-back-if', 'errorShare=5')).toContain(
      '--roll-back-if: errorShare: a number above 0 and at most 1',
    );
    expect(await errorOf(...kept, '--watch', '1s', '--roll-back-if', 'errorShare=1')).toContain('at least 1m');
    expect(await errorOf('--watch', '1h', '--roll-back-if', 'errorShare=1')).toContain('--keep-current');
  });

  test('prints the error as JSON on request', async () => {
    const { code, out, err } = await cli(['index', 'create', 'docs', '--provider', 'openai', '--json']);
    expect({ code, err }).toEqual({ code: 2, err: '' });
    const { error } = JSON.parse(out);
    expect(error).toMatchObject({ type: 'InvalidInput', message: 'the model is not valid' });
    expect(error.issues.map(({ path }: { path: string }) => path)).toEqual(['model.name']);
  });
});

test('a wrong setting exits with 2 and one line before anything starts', async () => {
  for (const [command, env, line] of [
    ['dev', { REEMBED_PORT: 'x' }, /^error: REEMBED_PORT is "x", but must be a port number from 0 to 65535\n$/],
    ['api', { DATABASE_URL: 'mysql://secret' }, /^error: DATABASE_URL must be a postgres:\/\/ address\n$/],
    ['worker', {}, /^error: DATABASE_URL must be set/],
    ['migrate', {}, /^error: DATABASE_URL must be set/],
    ['dev', { REEMBED_HOST: '0.0.0.0' }, /^error: REEMBED_API_TOKENS or REEMBED_API_TOKENS_FILE must be set/],
    [
      'api',
      { REEMBED_HOST: '0.0.0.0', DATABASE_URL: 'postgres://x' },
      /^error: REEMBED_API_TOKENS or REEMBED_API_TOKENS_FILE must be set/,
    ],
    ['worker', { TEMPORAL_PROFILE: 'nope' }, /^error: [^\n]*Profile 'nope' not found[^\n]*\n$/],
  ] as const) {
    const { code, out, err } = await cli([command], { env });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(line);
  }
});

describe('config', () => {
  test('shows every setting with its value, source and meaning', async () => {
    const { code, out, err } = await cli(['config'], {
      env: { REEMBED_PORT: '8000', REEMBED_API_TOKENS: 'top-secret-of-24-characters' },
    });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const { variable, meaning } of Object.values(SETTINGS)) {
      expect(out.split('\n').find((line) => line.startsWith(`${variable} `))).toContain(meaning);
    }
    expect(out).toMatch(/REEMBED_PORT +8000 +environment/);
    expect(out).toMatch(/REEMBED_HOST +127.0.0.1 +default/);
    expect(out).toMatch(/REEMBED_API_TOKENS +\*\*\* +environment/);
    expect(out).not.toContain('top-secret');
  });

  test('prints JSON on request', async () => {
    const { settings, unknown } = JSON.parse((await cli(['config', '--json'], { env: { REEMBED_PROT: '1' } })).out);
    expect(settings).toContainEqual({
      variable: 'REEMBED_PORT',
      value: '7400',
      source: 'default',
      secret: false,
      meaning: SETTINGS.port.meaning,
    });
    expect(unknown).toEqual([expect.stringContaining('did you mean REEMBED_PORT?')]);
  });

  test('shows the table, names the wrong setting and exits with 2', async () => {
    const { code, out, err } = await cli(['config'], { env: { REEMBED_LOG_LEVEL: 'loud', REEMBED_PROT: '1' } });
    expect(code).toBe(2);
    expect(out).toMatch(/REEMBED_LOG_LEVEL +loud +environment/);
    expect(err).toContain('warning: REEMBED_PROT is not a setting');
    expect(err).toContain('error: REEMBED_LOG_LEVEL is "loud", but must be one of');
  });
});

test('the version is that of the package', async () => {
  expect((await cli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('an API that does not answer is reported with its address and instructions', async () => {
  const { code, out, err } = await cli(['index', 'list', '--url', 'http://127.0.0.1:1']);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(/^error: no answer from http:\/\/127\.0\.0\.1:1[^\n]*\n {2}start it with `reembed dev`[^\n]*\n$/);
});
