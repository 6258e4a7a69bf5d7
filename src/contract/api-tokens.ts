import { isRole, type Role } from './roles.ts';

/**
 * A token that the API accepts: the name recorded for its holder's actions, the holder's role, and the
 * token itself or only its SHA-256 in hex. One fast hash is enough: tokens are random, so a slow hash would not make
 * guessing harder.
 */
export type ApiToken = { name: string; role: Role } & ({ token: string } | { sha256: string });

/** Shorter tokens could be guessed. */
const MIN_CHARS = 24;

/** Written form of a token, as the end of the sentence "… must be". */
export const TOKEN_FORM =
  'name:role:sha256=<64 hex digits> or name:role:token with the role view, operate or admin; or name:token or a token alone, for the role admin; a token has at least 24 characters';

const HASHED = 'sha256=';

/**
 * Parses one written token; a token alone is named after its place in the list, counted from 0. Returns undefined when
 * it has none of the forms.
 */
export function apiTokenOf(written: string, place: number): ApiToken | undefined {
  if (!/^[\x21-\x7e]+$/.test(written)) return undefined;
  const parts = written.split(':');
  const value = parts.pop() ?? '';
  const [name = `token-${place + 1}`, role = 'admin', ...others] = parts;
  // A misspelled role must not become another role, and a role must not be taken for a name.
  if (value === '' || !/^[\w.-]+$/.test(name) || isRole(name) || !isRole(role) || others.length > 0) return undefined;
  if (!value.startsWith(HASHED)) return value.length < MIN_CHARS ? undefined : { name, role, token: value };
  const sha256 = value.slice(HASHED.length).toLowerCase();
  return /^[0-9a-f]{64}$/.test(sha256) ? { name, role, sha256 } : undefined;
}

/** Returns the written form of a hashed token. */
export function writtenToken({ name, role, sha256 }: { name: string; role: Role; sha256: string }): string {
  return `${name}:${role}:${HASHED}${sha256}`;
}
