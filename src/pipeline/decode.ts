import { ReembedError } from '../contract/errors.ts';
import { fieldPath, JsonTextError } from '../contract/json-text/error.ts';
import { parseJsonText } from '../contract/json-text/parse.ts';
import type { Payload } from '../contract/objects.ts';

/** How the bytes of a loaded payload become text or JSON. */
export interface Media {
  kind: 'text' | 'json';
  /** A label of the Encoding Standard. */
  charset: string;
}

/** Not `text/*`, and text all the same. HTML and XML are taken raw, tags included: stripping them is the client's choice. */
const TEXT_TYPES = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/xml',
  'application/xhtml+xml',
  'application/yaml',
  'application/x-yaml',
]);
/** Servers say these when they do not know: then it is text if it is valid UTF-8. */
const UNKNOWN_TYPES = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

/** A byte order mark wins over what a header says (WHATWG Encoding, "decode"). */
const BYTE_ORDER_MARKS: [number[], string][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0xff, 0xfe], 'utf-16le'],
];

/** Reads a Content-Type, which may be missing. Throws `UnsupportedMedia` for what is neither text nor JSON. */
export function mediaOf(contentType: string | undefined, what: string): Media {
  const [head = '', ...parameters] = (contentType ?? '').split(';');
  const type = head.trim().toLowerCase();
  const charset =
    parameters.map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(parameter)?.[1]).find(Boolean) ?? 'utf-8';
  if (type === 'application/json' || type === 'text/json' || type.endsWith('+json')) return { kind: 'json', charset };
  if (type.startsWith('text/') || type.endsWith('+xml') || TEXT_TYPES.has(type)) return { kind: 'text', charset };
  if (UNKNOWN_TYPES.has(type)) return { kind: 'text', charset };
  throw new ReembedError('UnsupportedMedia', `${what} is ${type.slice(0, 100)}, neither text nor JSON`);
}

/**
 * Text or JSON of the bytes. A JSON number, text or truth value becomes text, `null` the empty text. Throws
 * `UnsupportedMedia` for bytes that are not valid in the charset, and for JSON that does not parse, `InvalidInput` for
 * JSON that cannot be kept as it is.
 */
export function decodePayload(bytes: Uint8Array, media: Media, what: string): Payload {
  const text = decodeText(bytes, media.charset, what);
  if (media.kind === 'text') return text;
  const value = parseJson(text, what);
  if (value === null) return '';
  return typeof value === 'object' ? (value as Payload) : String(value);
}

function decodeText(bytes: Uint8Array, charset: string, what: string): string {
  const marked = BYTE_ORDER_MARKS.find(([mark]) => mark.every((byte, at) => bytes[at] === byte))?.[1];
  const decoder = decoderOf(marked ?? charset, what);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ReembedError('UnsupportedMedia', `${what} is not text: not valid ${decoder.encoding}`, { cause });
  }
}

function decoderOf(charset: string, what: string) {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw new ReembedError('UnsupportedMedia', `${what} has the unknown charset ${charset.slice(0, 50)}`, { cause });
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    return parseJsonText(text);
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    // The parser's own message quotes the content, which does not belong in errors.
    const type = error.text === undefined ? 'InvalidInput' : 'UnsupportedMedia';
    const field = error.path.length > 0 ? ` in the field ${fieldPath(error.path)}:` : '';
    throw new ReembedError(type, `${what}${field} ${error.message}`);
  }
}
