import type { Command } from 'commander';
import { createClient, type ReembedClient } from '../client/http/client.ts';
import { findAddresses } from '../runtime/dev-addresses.ts';
import { given } from '../runtime/environment.ts';
import { readSetting } from '../runtime/read-setting.ts';
import type { Io } from './output.ts';

export interface RemoteOptions {
  url?: string;
  json?: boolean;
}

/** A command that talks to the API. */
export function remote(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'address of the API (REEMBED_URL; that of the `dev` in REEMBED_DATA_DIR, or http://127.0.0.1:7400, if not given)',
    )
    .option('--json', 'print the result as JSON');
}

/** The client of such a command. The token is in REEMBED_TOKEN alone: others can read command lines. */
export function clientFrom(io: Io, { url }: RemoteOptions, send?: typeof fetch): ReembedClient {
  const env = url === undefined ? io.env : { ...io.env, REEMBED_URL: url };
  const baseUrl = readSetting('url', env) ?? devUrl(io.env) ?? `http://127.0.0.1:${readSetting('port', io.env)}`;
  return createClient({ baseUrl, token: readSetting('token', io.env) ?? undefined, fetch: send });
}

/** Of the `dev` that runs in the data directory, unless a port was asked for. */
function devUrl(env: NodeJS.ProcessEnv): string | undefined {
  return given(env, 'REEMBED_PORT') === undefined ? findAddresses(env)?.api : undefined;
}
