import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openApiTokens, readApiTokens } from '../../src/settings/api-tokens.ts';
import { readSettings } from '../../src/settings/settings.ts';

const HASH = 'ab'.repeat(32);
const nowhere = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };

describe('the file of API tokens', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'reembed-tokens-'));
    file = path.join(folder, 'tokens');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has a hashed token on each line that is not empty or a comment', async () => {
    await writeFile(file, `# who may come\nann:view:sha256=${HASH}\r\n\n  bob:admin:sha256=${HASH.toUpperCase()}  \n`);
    expect(
      readApiTokens({ REEMBED_API_TOKENS: 'eve:operate:a-token-of-24-characters', REEMBED_API_TOKENS_FILE: file }),
    ).toEqual([
      { name: 'eve', role: 'operate', token: 'a-token-of-24-characters' },
      { name: 'ann', role: 'view', sha256: HASH },
      { name: 'bob', role: 'admin', sha256: HASH },
    ]);
  });

  it.each(['ann:view:plain-secret', 'ann:viewer:sha256=plain-secret', `ann:sha256=${HASH}0`])(
    'is refused for a line that is %s, without revealing its content',
    async (line) => {
      await writeFile(file, `# remark\n${line}\n`);
      const read = () => readApiTokens({ REEMBED_API_TOKENS_FILE: file });
      expect(read).toThrow(/REEMBED_API_TOKENS_FILE is .* but line 2 must be/);
      expect(read).not.toThrow(/secret|abab/);
    },
  );

  it('is refused when it is missing', () => {
    expect(() => readApiTokens({ REEMBED_API_TOKENS_FILE: file })).toThrow(/cannot be read: ENOENT/);
  });

  it('is read again when it changes; an error in it then changes nothing and is logged', async () => {
    const errors: unknown[] = [];
    const log = { info() {}, warn() {}, error: (line: unknown) => errors.push(line) };
    await writeFile(file, `ann:view:sha256=${HASH}\n`);
    const settings = readSettings({ ...nowhere, REEMBED_API_TOKENS_FILE: file });
    const { tokens, close } = openApiTokens(settings, log as never, { pollMs: 20 });
    // At once: a poll in the middle of a write would find an empty file.
    const replaceBy = async (text: string) => {
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    };
    const names = () => tokens?.().map(({ name }) => name);
    try {
      expect(names()).toEqual(['ann']);
      await replaceBy(`ann:view:sha256=${HASH}\nbob:admin:sha256=${HASH}\n`);
      await vi.waitFor(() => expect(names()).toEqual(['ann', 'bob']), 90_000);
      await replaceBy('nonsense\n');
      await vi.waitFor(() => expect(errors).toEqual([expect.stringMatching(/not reloaded.*line 1/)]), 90_000);
      expect(names()).toEqual(['ann', 'bob']);
      // A file without tokens admits nobody; it never means that everyone is admitted.
      await replaceBy('');
      await vi.waitFor(() => expect(names()).toEqual([]), 90_000);
    } finally {
      close();
    }
  });
});

it('no token is needed when none is configured', () => {
  expect(openApiTokens(readSettings(nowhere), console as never).tokens).toBeUndefined();
});
