import type { Context } from 'hono';
import { NDJSON } from '../../contract/bodies.ts';
import { ReembedError } from '../../contract/errors.ts';

/** The names that NDJSON goes by. */
const NDJSON_TYPES: readonly string[] = [NDJSON, 'application/ndjson', 'application/jsonl'];

/** ASCII is UTF-8 too. */
const CHARSETS = ['utf-8', 'utf8', 'us-ascii'];

export type BodyForm = 'json' | 'lines';

/**
 * What a request says its body is. A missing content type is not taken for JSON: a page of another site can send such a
 * request without asking. Error: `UnsupportedMedia` for any other type, charset or encoding.
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
