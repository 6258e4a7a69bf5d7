import type { Command } from 'commander';
import { createClient, type ReembedClient } from '../client/client.ts';
import { findAddresses } from '../settings/dev-addresses.ts';
import { given, readSetting } from '../settings/read.ts';
import type { Io } from './output.ts';

export interface RemoteOptions {
  url?: string;
  json?: boolean;
}

/** Adds the options of commands that call the API. */
export function remote(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'API address (default: REEMBED_URL, the `dev` in REEMBED_DATA_DIR, or http://127.0.0.1:7400)',
    )
    .option('--json', 'print the result as JSON');
}

/** Creates the client of such a command. The token comes only from REEMBED_TOKEN: others can read command lines. */
export function clientFrom(io: Io, { url }: RemoteOptions, send?: typeof fetch): ReembedClient {
  const env = url === undefined ? io.env : { ...io.env, REEMBED_URL: url };
  const baseUrl = readSetting('url', env) ?? devUrl(io.env) ?? `http://127.0.0.1:${readSetting('port', io.env)}`;
  return createClient({ baseUrl, token: readSetting('token', io.env) ?? undefined, fetch: send });
}

/** Returns the address of the `dev` running in the data directory, unless REEMBED_PORT is set. */
function devUrl(env: NodeJS.ProcessEnv): string | undefined {
  return given(env, 'REEMBED_PORT') === undefined ? findAddresses(env)?.api : undefined;
}

/** Options of a list over all databases: standard error names the databases that are missing in it. */
export function tellUnavailable(io: Io): { onUnavailable: (databases: string[]) => void } {
  return {
    onUnavailable: (databases) =>
      io.err(`no answer from the database ${databases.join(', ')}: what it holds is not listed\n`),
  };
}
