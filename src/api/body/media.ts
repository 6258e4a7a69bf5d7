import type { Context } from 'hono';
import { ReembedError } from '../../contract/errors.ts';
import { NDJSON } from '../../contract/http.ts';

/** Media types of NDJSON. */
const NDJSON_TYPES: readonly string[] = [NDJSON, 'application/ndjson', 'application/jsonl'];

/** ASCII is a subset of UTF-8. */
const CHARSETS = ['utf-8', 'utf8', 'us-ascii'];

export type BodyForm = 'json' | 'lines';

/**
 * Returns the media type that a request declares. A missing content type does not mean JSON: a page of another site can
 * send such a request without a preflight. Error: `UnsupportedMedia` for any other type, charset or encoding.
 */
export function formOf(c: Context, forms: readonly BodyForm[]): BodyForm {
  const [type = '', ...parameters] = (c.req.header('content-type') ?? '').split(';');
  const form = formOfType(type.trim().toLowerCase());
  if (form === undefined || !forms.includes(form)) {
    const wanted = forms.includes('lines') ? `application/json or ${NDJSON}` : 'application/json';
    throw new ReembedError('UnsupportedMedia', `send a body of content type ${wanted}`);
  }
  const charset = charsetOf(parameters);
  if (!CHARSETS.includes(charset)) {
    throw new ReembedError('UnsupportedMedia', `send a body in UTF-8: the charset ${charset.slice(0, 50)} is not read`);
  }
  const encoding = (c.req.header('content-encoding') ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity') {
    const message = `send a body without content encoding: ${encoding.slice(0, 50)} is not read`;
    throw new ReembedError('UnsupportedMedia', message);
  }
  return form;
}

function formOfType(type: string): BodyForm | undefined {
  if (NDJSON_TYPES.includes(type)) return 'lines';
  return /^application\/(?:[\w.-]+\+)?json$/.test(type) ? 'json' : undefined;
}

function charsetOf(parameters: readonly string[]): string {
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim().toLowerCase() === 'charset') return value.trim().replaceAll('"', '').toLowerCase();
  }
  return 'utf-8';
}
