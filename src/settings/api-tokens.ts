import { type Stats, unwatchFile, watchFile } from 'node:fs';
import type { Logger } from 'pino';
import { type ApiToken, apiTokenOf } from '../contract/api-tokens.ts';
import { messageOf } from '../contract/errors.ts';
import { readSetting } from './read.ts';
import { readSecretLines } from './secret-file.ts';
import type { Settings } from './settings.ts';
import { SETTINGS } from './table.ts';

const LINE_FORM = 'name:role:sha256=<64 hex digits>, as `reembed tokens create` prints it';

/** Default interval at which the token file is polled. */
const POLL_MS = 2_000;

/**
 * Reads the current tokens of REEMBED_API_TOKENS and REEMBED_API_TOKENS_FILE; empty if there are none.
 * @throws ReembedError `InvalidSetting`
 * @example
 * const tokens = readApiTokens(process.env);
 */
export function readApiTokens(env: NodeJS.ProcessEnv): ApiToken[] {
  const file = readSetting('apiTokensFile', env);
  return [...readSetting('apiTokens', env), ...(file === null ? [] : readTokenFile(file))];
}

/** `tokens` returns the tokens that are currently accepted; undefined if none are required. */
export interface OpenTokens {
  tokens: (() => readonly ApiToken[]) | undefined;
  close(): void;
}

/**
 * Reads the tokens and watches their file: changes take effect within seconds. If the file becomes unreadable, logs it
 * and keeps the tokens.
 * @throws ReembedError `InvalidSetting`
 */
export function openApiTokens(
  { apiTokens, apiTokensFile: file }: Settings,
  log: Pick<Logger, 'info' | 'warn' | 'error'>,
  { pollMs = POLL_MS }: { pollMs?: number } = {},
): OpenTokens {
  if (file === null) return { tokens: apiTokens.length > 0 ? () => apiTokens : undefined, close() {} };
  let all = [...apiTokens, ...readTokenFile(file)];
  const look = (now: Stats, before: Stats) => {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino && now.size === before.size) return;
    try {
      all = [...apiTokens, ...readTokenFile(file)];
      log.info({ tokens: all.map(({ name, role }) => `${name}:${role}`) }, 'API tokens reloaded');
    } catch (error) {
      log.error(`API tokens not reloaded: ${messageOf(error)}`);
    }
  };
  watchFile(file, { interval: pollMs, persistent: false }, look);
  return { tokens: () => all, close: () => unwatchFile(file, look) };
}

function readTokenFile(file: string): ApiToken[] {
  return readSecretLines(SETTINGS.apiTokensFile.variable, file, { parse: hashedToken, expected: LINE_FORM });
}

function hashedToken(written: string, place: number): ApiToken | undefined {
  const token = apiTokenOf(written, place);
  return token && 'sha256' in token ? token : undefined;
}
