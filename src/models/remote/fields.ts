type Fetch = typeof globalThis.fetch;

export interface BodyChange {
  /** Added to the body unless undefined. */
  fields: Readonly<Record<string, unknown>>;
  /** The provider's name for `dimensions`. */
  dimensionsField?: string | undefined;
  /** The request has no key, but the SDK wants one. */
  isKeyless: boolean;
}

const KEY_HEADERS = ['authorization', 'api-key', 'x-goog-api-key'];

/**
 * Wraps `fetch` to change the JSON object in each request, which is text with many megabytes: it is neither parsed nor
 * serialized again. Fields of the SDK come later and win over added ones with the same name.
 */
export function withFields(fetch: Fetch, { fields, dimensionsField, isKeyless }: BodyChange): Fetch {
  const added = JSON.stringify(fields).slice(1, -1);
  return (input, init = {}) => {
    let body = String(init.body);
    if (dimensionsField !== undefined) {
      // Within a text each quote is escaped, so that this is only found where the SDK wrote it.
      body = body.replace(/,"dimensions":(?=\d+[,}])/, () => `,"${dimensionsField}":`);
    }
    if (added !== '') body = `{${added},${body.slice(body.indexOf('{') + 1)}`;
    const headers = new Headers(init.headers);
    if (isKeyless) for (const name of KEY_HEADERS) headers.delete(name);
    return fetch(input, { ...init, body, headers });
  };
}
