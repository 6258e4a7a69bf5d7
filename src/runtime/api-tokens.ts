import { readFileSync, type Stats, unwatchFile, watchFile } from 'node:fs';
import type { Logger } from 'pino';
import { type ApiToken, apiTokenOf } from '../contract/api-tokens.ts';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { readSetting, type Settings } from './settings.ts';

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

/** A line that is empty or begins with `#` is none. Errors name the line, never what is on it. */
function readTokenFile(file: string): ApiToken[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(file, `the file cannot be read: ${messageOf(error)}`, error);
  }
  return text.split(/\r?\n/).flatMap((line, at) => {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) return [];
    const token = apiTokenOf(written, at);
    if (!token || !('sha256' in token)) throw invalid(file, `line ${at + 1} must be ${LINE_FORM}`);
    return [token];
  });
}

function invalid(file: string, problem: string, cause?: unknown): ReembedError {
  return new ReembedError('InvalidSetting', `REEMBED_API_TOKENS_FILE is ${JSON.stringify(file)}, but ${problem}`, {
    cause,
  });
}
