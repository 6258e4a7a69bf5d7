import { type Stats, unwatchFile, watchFile } from 'node:fs';
import type { Logger } from 'pino';
import { type ApiToken, apiTokenOf } from '../contract/api-tokens.ts';
import { messageOf } from '../contract/errors.ts';
import { readSetting } from './read-setting.ts';
import { readSecretLines } from './secret-lines.ts';
import type { Settings } from './settings.ts';
import { SETTINGS } from './settings-table.ts';

const LINE_FORM = 'name:role:sha256=<64 hex digits>, as `reembed tokens create` prints it';

/** How often the file of tokens is looked at. */
const LOOK_MS = 2_000;

/**
 * The tokens of REEMBED_API_TOKENS and REEMBED_API_TOKENS_FILE as they are now; empty when there are none.
 * @throws ReembedError `InvalidSetting`
 * @example
 * const tokens = readApiTokens(process.env);
 */
export function readApiTokens(env: NodeJS.ProcessEnv): ApiToken[] {
  const file = readSetting('apiTokensFile', env);
  return [...readSetting('apiTokens', env), ...(file === null ? [] : readTokenFile(file))];
}

/** The tokens that are accepted from now on, as they are at every moment; undefined when none are needed. */
export interface OpenTokens {
  tokens: (() => readonly ApiToken[]) | undefined;
  close(): void;
}

/**
 * Reads the tokens and goes on reading their file: one that is added or taken out counts within seconds. A file that has
 * become unreadable changes nothing, which is logged.
 * @throws ReembedError `InvalidSetting`
 */
export function openApiTokens(
  { apiTokens, apiTokensFile: file }: Settings,
  log: Pick<Logger, 'info' | 'warn' | 'error'>,
): OpenTokens {
  if (file === null) return { tokens: apiTokens.length > 0 ? () => apiTokens : undefined, close() {} };
  let all = [...apiTokens, ...readTokenFile(file)];
  const look = (now: Stats, before: Stats) => {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino && now.size === before.size) return;
    try {
      all = [...apiTokens, ...readTokenFile(file)];
      log.info({ tokens: all.map(({ name, role }) => `${name}:${role}`) }, 'API tokens were read again');
    } catch (error) {
      log.error(`API tokens stay as they were: ${messageOf(error)}`);
    }
  };
  watchFile(file, { interval: LOOK_MS, persistent: false }, look);
  return { tokens: () => all, close: () => unwatchFile(file, look) };
}

function readTokenFile(file: string): ApiToken[] {
  return readSecretLines(SETTINGS.apiTokensFile.variable, file, { parse: hashedToken, expected: LINE_FORM });
}

function hashedToken(written: string, place: number): ApiToken | undefined {
  const token = apiTokenOf(written, place);
  return token && 'sha256' in token ? token : undefined;
}
