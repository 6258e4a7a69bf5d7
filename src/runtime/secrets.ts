import { given } from './environment.ts';
import type { Settings } from './settings.ts';
import { TEMPORAL_VARIABLES } from './settings-table.ts';

/** Characters. */
const SHORTEST = 4;

/** Of the address of a database what is not secret; of all else nothing. */
export function masked(value: string): string {
  const url = /^(postgres(?:ql)?:\/\/)(?:.*@)?([^?]*)/.exec(value);
  return url ? `${url[1]}${value.includes('@') ? '***@' : ''}${url[2]}` : '***';
}

/** Everything that must not be logged. */
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
  const password = /^[a-z]+:\/\/[^:@/]*:(.*)@/.exec(databaseUrl ?? '')?.[1];
  if (password) secrets.push(password, decoded(password));
  const inQuery = /[?&]password=([^&]*)/.exec(databaseUrl ?? '')?.[1];
  if (inQuery) secrets.push(inQuery, decoded(inQuery));
  // A secret of a few letters is none, and would cut the log to pieces.
  return [...new Set(secrets)].filter((secret) => secret != null && secret.length >= SHORTEST) as string[];
}

/** The form in which the driver may quote it in an error. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
