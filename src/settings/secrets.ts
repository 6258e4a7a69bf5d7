import { given } from './read.ts';
import type { Settings } from './settings.ts';
import { TEMPORAL_VARIABLES } from './table.ts';

/** Min. length of a secret, in characters. */
const SHORTEST = 4;

/** Returns everything that must not be logged. */
export function secretsOf(settings: Settings): string[] {
  const { env, apiTokens, token, databaseUrl, temporal } = settings;
  const { apiKey } = temporal.connection;
  const secrets: (string | null | undefined)[] = [
    ...apiTokens.map((one) => ('token' in one ? one.token : undefined)),
    token,
    ...temporal.encryptionKeys.map(({ key }) => key),
    given(env, 'PGPASSWORD'),
  ];
  for (const [variable, { secret }] of Object.entries(TEMPORAL_VARIABLES))
    if (secret) secrets.push(given(env, variable));
  if (typeof apiKey === 'string') secrets.push(apiKey);
  const variables = [...settings.sourceConnections, ...settings.databases.map(({ variable }) => variable)];
  for (const url of [databaseUrl, ...variables.map((variable) => given(env, variable))]) {
    secrets.push(...passwordsIn(url ?? ''));
  }
  // Very short secrets are not secret, and masking them would make the log unreadable.
  return [...new Set(secrets)].filter((secret) => secret != null && secret.length >= SHORTEST) as string[];
}

/** Returns the passwords in the address of a database, as they stand and decoded. */
function passwordsIn(url: string): string[] {
  const password = /^[a-z]+:\/\/[^:@/]*:(.*)@/.exec(url)?.[1];
  const inQuery = /[?&]password=([^&]*)/.exec(url)?.[1];
  return [password, inQuery].flatMap((found) => (found ? [found, decoded(found)] : []));
}

/** Decodes a secret to the form that the driver may quote in an error. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
