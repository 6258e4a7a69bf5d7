import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { TASK_STATUSES } from '../../src/contract/status.ts';
import { freshFolder } from '../runtime/servers/fixtures/folder.ts';
import { cli } from './support.ts';

/** An API that does not answer: values asked of it are not candidates, and not an error either. */
const env = { REEMBED_URL: 'http://127.0.0.1:1' };

/** The words that may come next, without their descriptions. */
async function next(...words: string[]): Promise<string[]> {
  const { code, out, err } = await cli(['complete', '--', ...words], { env });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.split('\n').flatMap((line) => line.split('\t')[0] || []);
}

describe('the completion of a command line', () => {
  test('offers commands with their descriptions, but not those for programs only', async () => {
    const { out } = await cli(['complete', '--', ''], { env });
    expect(out).toMatch(/^tasks\tlist, follow and control tasks$/m);
    expect(out).not.toMatch(/^complete\b/m);
    expect(await next('ta')).toEqual(['tasks']);
    expect(await next('tasks', 're')).toEqual(['restart', 'resume', 'reads', 'reject']);
    expect(await next('alias', '')).toEqual(['set', 'list', 'sampling', 'searches', 'delete', 'help']);
  });

  test('offers the options of the command', async () => {
    expect(await next('tasks', 'list', '--s')).toEqual(['--status', '--since']);
    expect(await next('search', 'docs', 'a lion', '--fil')).toEqual(['--filter']);
    expect(await next('search', 'docs', 'a lion', '--f')).toEqual(['--fields', '--filter']);
    expect(await next('search', 'docs', 'a lion', '--group', '')).toEqual(['object', 'part']);
    expect(await next('search-batch', 'docs', '')).toEqual([':files']);
    expect(await next('embed', 'docs', 'a lion', '--purpose', '')).toEqual(['query', 'document']);
    expect(await next('nothing', '--js')).toEqual([]);
  });

  test.each([
    [['tasks', 'list', '--status', ''], TASK_STATUSES],
    [['tasks', 'list', '--status', 'fa'], ['failed']],
    [['tasks', 'list', '--status=fa'], ['--status=failed']],
    [
      ['tasks', 'list', '--status', 'failed', '--type', 're'],
      ['reindex', 'reindex-slice'],
    ],
    [['tasks', 'cancel', '--all', '--status', 'waiting', 'pau'], ['paused']],
    [['worker', '--role', 'j'], ['jobs']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['models', 'install', ''],
      ['all-minilm-l6-v2', 'bge-small-en-v1.5'],
    ],
    [['models', 'install', '--from', ''], [':files']],
    [['upsert', ''], [':files']],
    [['dev', '--data-dir', ''], [':files']],
    [['upsert', 'items.ndjson', '--task-id', ''], []],
    [['tasks', 'info', ''], []],
    [['config', ''], []],
  ])('offers, after %j, %j', async (words, expected) => {
    expect(await next(...words)).toEqual(expected);
  });
});

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Runs a script in a shell that finds `reembed`; returns the lines that it prints. */
function inShell(shell: string, script: string): string[] {
  const folder = freshFolder();
  const program = path.join(folder, 'reembed');
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" --import "${TSX}" "${MAIN}" "$@"\n`);
  chmodSync(program, 0o755);
  const args = shell === 'bash' ? ['--norc', '-c', script] : ['-c', script];
  const out = execFileSync(shell, args, {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, ...env, HOME: folder, PATH: `${folder}:${process.env.PATH}` },
  });
  return out.split('\n').filter((line) => line !== '');
}

const isThere = (shell: string) =>
  (process.env.PATH ?? '').split(':').some((folder) => existsSync(path.join(folder, shell)));

/** Each asks as its shell does when Tab is pressed at the end of the line. */
const ASKING = {
  bash: (line: string) => `
    source <(reembed completion bash)
    complete -p reembed > /dev/null
    COMP_LINE='${line}' COMP_POINT=${line.length}
    _reembed
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Only the last step differs: what would be shown in a list is printed.
  zsh: (line: string) => `
    autoload -Uz compinit && compinit -u
    source <(reembed completion zsh)
    [[ "$_comps[reembed]" == _reembed ]] || exit 1
    _describe() { print -l -- "\${(@)\${(P)4}%%:*}" }
    words=("\${(@s: :)\${:-${line}}}")
    CURRENT=\${#words}
    _reembed`,
  fish: (line: string) => `
    reembed completion fish | source
    complete -C '${line}' | string replace -r '\\t.*' ''; or true`,
};

describe.each(Object.entries(ASKING))('%s', (shell, asking) => {
  const there = isThere(shell);
  if (!there) console.warn(`${shell} is not on this machine: its completion is not tried`);

  test.skipIf(!there)('completes commands, options and values when its script is sourced', () => {
    vi.setConfig({ testTimeout: 120_000 });
    expect(inShell(shell, asking('reembed tasks re'))).toEqual(['restart', 'resume', 'reads', 'reject']);
    expect(inShell(shell, asking('reembed tasks list --status fa'))).toEqual(['failed']);
  });
});

test.skipIf(!isThere('bash'))('bash completes only the part after = or :, which it treats as a separate word', () => {
  expect(inShell('bash', ASKING.bash('reembed tasks list --status=fa'))).toEqual(['failed']);
});
