import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

interface Instruction {
  name: string;
  words: string;
}

/** The instructions of a Dockerfile, each on one line and without comments. */
function instructionsOf(text: string): Instruction[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', words = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name, words };
    });
}

const instructions = instructionsOf(await read('Dockerfile'));
const ignore = (await read('.dockerignore')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const startOfRuntime = instructions.findLastIndex(({ name }) => name === 'FROM');
const runtime = instructions.slice(startOfRuntime);
const named = (name: string, among = instructions) => among.filter((instruction) => instruction.name === name);

describe('the Dockerfile', () => {
  it('has only instructions that Docker knows', () => {
    const known = ['ARG', 'FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD'];
    for (const { name } of instructions) expect(known).toContain(name);
  });

  it('builds on an exact tag of Debian with glibc and the major version of Node that the package asks for', async () => {
    const image = named('ARG').find(({ words }) => words.startsWith('NODE_IMAGE='))?.words;
    expect(image).toMatch(/^NODE_IMAGE=node:\d+\.\d+\.\d+-bookworm-slim(@sha256:[0-9a-f]{64})?$/);
    const { engines } = JSON.parse(await read('package.json')) as { engines: { node: string } };
    expect(image?.match(/node:(\d+)/)?.[1]).toBe(engines.node.match(/>=(\d+)/)?.[1]);
    for (const { words } of named('FROM')) expect(words).toMatch(/^\$\{NODE_IMAGE\} AS \w+$/);
  });

  it('runs the CLI of the package as a user that is not root', async () => {
    const { bin } = JSON.parse(await read('package.json')) as { bin: { reembed: string } };
    expect(named('ENTRYPOINT', runtime)).toEqual([{ name: 'ENTRYPOINT', words: `["node", "${bin.reembed}"]` }]);
    expect(named('USER', runtime).at(-1)?.words).toBe('1000:1000');
  });

  it('copies to the runtime what the package needs there, and no sources', async () => {
    const copied = named('COPY', runtime).flatMap(({ words }) =>
      [...words.matchAll(/\/app\/(\S+)/g)].map(([, path]) => path),
    );
    expect(copied).toEqual(['node_modules', 'dist', 'data', 'deploy/worker', 'package.json', 'LICENSE', 'NOTICE*']);
    for (const { words } of named('COPY', runtime)) expect(words).toMatch(/^--from=build /);
  });

  it('does not copy development packages', () => {
    const build = named('RUN', instructions.slice(0, startOfRuntime)).map(({ words }) => words);
    expect(build).toEqual([
      expect.stringContaining('npm ci'),
      expect.stringMatching(/npm run build && npm prune --omit=dev/),
    ]);
  });

  it('has certificates, which Temporal needs for TLS, and no package lists', () => {
    const [install] = named('RUN', runtime);
    expect(install?.words).toMatch(/--no-install-recommends ca-certificates/);
    expect(install?.words).toMatch(/rm -rf \/var\/lib\/apt\/lists\/\*/);
  });
});

describe('the build context', () => {
  it('has only the named files', () => {
    expect(ignore[0]).toBe('*');
    for (const line of ignore.slice(1)) expect(line).toMatch(/^!/);
  });

  it('has every path that the first stage copies and the second uses', () => {
    for (const path of ['package.json', 'package-lock.json', '.npmrc', 'src', 'data', 'deploy/worker', 'LICENSE']) {
      expect(ignore).toContain(`!${path}`);
    }
  });

  it('has no secrets and no build output', () => {
    for (const path of ['.env', '.git', 'node_modules', 'dist', '.reembed']) expect(ignore).not.toContain(`!${path}`);
  });
});
