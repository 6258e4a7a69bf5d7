/** A token that the API accepts, and the name under which its holder's doings are known. */
export interface ApiToken {
  name: string;
  token: string;
}

/** Reads `name:token`, or a token alone, which is named after its place in the list, counted from 0. */
export function apiTokenOf(written: string, place: number): ApiToken {
  const [, name, token] = /^([\w.-]+):(.+)$/.exec(written) ?? [];
  return name !== undefined && token !== undefined ? { name, token } : { name: `token-${place + 1}`, token: written };
}
