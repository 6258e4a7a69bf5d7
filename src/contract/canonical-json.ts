import { jsonBytes } from './json.ts';

/** Serializes a JSON value with sorted keys; undefined members are omitted. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  const members = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member !== undefined) text += `${text && ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** Longest text that is serialized in one step, in UTF-16 code units. */
const PIECE_CHARS = 64 * 1024;

/** Yields the same text in pieces, so that a caller can pause within a large value. */
export function* canonicalPieces(value: unknown, pieceChars = PIECE_CHARS): Generator<string, void> {
  if (jsonBytes(value) <= pieceChars) yield canonicalJson(value);
  else if (typeof value === 'string') yield* textPieces(value, pieceChars);
  else if (Array.isArray(value)) yield* memberPieces('[]', value, pieceChars);
  else if (typeof value === 'object' && value !== null) {
    const members = value as Record<string, unknown>;
    const keys = Object.keys(members).filter((key) => members[key] !== undefined);
    yield* memberPieces('{}', keys.sort(), pieceChars, members);
  } else yield canonicalJson(value);
}

/** Yields the elements of an array, or the fields of an object by their keys. */
function* memberPieces(
  brackets: '[]' | '{}',
  list: readonly unknown[],
  pieceChars: number,
  members?: Record<string, unknown>,
): Generator<string, void> {
  let before = brackets[0] as string;
  for (const one of list) {
    yield members ? `${before}${JSON.stringify(one)}:` : before;
    yield* canonicalPieces(members ? members[one as string] : one, pieceChars);
    before = ',';
  }
  yield list.length === 0 ? brackets : (brackets[1] as string);
}

function* textPieces(text: string, pieceChars: number): Generator<string, void> {
  yield '"';
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + pieceChars, text.length);
    // Half of a surrogate pair would be escaped.
    if (isHighSurrogate(text.charCodeAt(to - 1))) to += 1;
    yield JSON.stringify(text.slice(from, to)).slice(1, -1);
    from = to;
  }
  yield '"';
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
