import { expect, test } from 'vitest';
import { createApi } from '../../src/api/app.ts';
import { readApiTokens } from '../../src/settings/api-tokens.ts';
import { listeningLog, models, silentDatabase, silentTemporal } from '../api/support.ts';
import { cli } from './support.ts';

test('tokens create makes a token and a line that admits it without containing it', async () => {
  const made = await cli(['tokens', 'create', 'ci', '--role', 'operate', '--json']);
  const { token, line } = JSON.parse(made.out);
  expect(token).toMatch(/^rmb_[\w-]{43}$/);
  expect(line).toMatch(/^ci:operate:sha256=[0-9a-f]{64}$/);
  const app = createApi({
    db: silentDatabase(),
    client: silentTemporal(),
    models,
    taskQueue: 'test',
    log: listeningLog(),
    settings: { apiTokens: readApiTokens({ REEMBED_API_TOKENS: line }) },
  });
  const me = await app.request('/v1/me', { headers: { authorization: `Bearer ${token}` } });
  expect(await me.json()).toEqual({ name: 'ci', role: 'operate' });

  const other = await cli(['tokens', 'create', 'ci']);
  expect(other.out).toContain('ci:view:sha256=');
  expect(other.out).not.toContain(token);
});

test('tokens create refuses an invalid name or role', async () => {
  expect((await cli(['tokens', 'create', 'a:b'])).code).toBe(2);
  expect((await cli(['tokens', 'create', 'view'])).code).toBe(2);
  expect((await cli(['tokens', 'create', 'a', '--role', 'root'])).code).toBe(2);
});
