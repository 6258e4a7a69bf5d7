import { ReembedError } from '../contract/errors.ts';
import { fieldPath, JsonTextError } from '../contract/json-text/error.ts';
import { parseJsonText } from '../contract/json-text/parse.ts';
import type { Payload } from '../contract/objects.ts';

/** How to decode the bytes of a loaded payload. */
export interface Media {
  kind: 'text' | 'json';
  /** A label of the Encoding Standard. */
  charset: string;
}

/** Text types other than `text/*`. HTML and XML are kept raw, tags included: stripping them is up to the client. */
const TEXT_TYPES = new Set([
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/xml',
  'application/xhtml+xml',
  'application/yaml',
  'application/x-yaml',
]);
/** Types that servers send when they do not know: treated as text if the bytes are valid UTF-8. */
const UNKNOWN_TYPES = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

/** A byte order mark takes precedence over the header (WHATWG Encoding, "decode"). */
const BYTE_ORDER_MARKS: [number[], string][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0xff, 0xfe], 'utf-16le'],
];

/** Parses a Content-Type, which may be missing. Throws `UnsupportedMedia` if it is neither text nor JSON. */
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
 * Decodes bytes to text or JSON. A JSON number, string or boolean becomes text, `null` the empty text. Throws
 * `UnsupportedMedia` for bytes that are invalid in the charset or JSON that does not parse, and `InvalidInput` for JSON
 * that cannot be stored unchanged.
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
    // The parser's own message quotes the content, which must not appear in errors.
    const type = error.text === undefined ? 'InvalidInput' : 'UnsupportedMedia';
    const field = error.path.length > 0 ? ` in the field ${fieldPath(error.path)}:` : '';
    throw new ReembedError(type, `${what}${field} ${error.message}`);
  }
}
