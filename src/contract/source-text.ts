import { canonicalJson } from './canonical-json.ts';

/** How rows of a source become ids and texts of objects. */

/**
 * Returns the id of the object of a row. One column: its text, several: a JSON array of their texts, so that no two
 * keys have the same id.
 */
export function objectIdOf(key: readonly string[]): string {
  return key.length === 1 ? (key[0] as string) : canonicalJson(key);
}

/** Returns the key of the object with this id; undefined if no key of this many columns has it. */
export function keyOfObjectId(id: string, columns: number): string[] | undefined {
  if (columns === 1) return [id];
  try {
    const key: unknown = JSON.parse(id);
    const fits = Array.isArray(key) && key.length === columns && key.every((value) => typeof value === 'string');
    return fits ? (key as string[]) : undefined;
  } catch {
    return undefined;
  }
}

type Piece = { kind: 'literal'; text: string } | { kind: 'column'; name: string };

/** Returns what is wrong with a template; undefined if nothing. */
export function templateProblem(template: string): string | undefined {
  const pieces = parse(template);
  if (typeof pieces === 'string') return pieces;
  return pieces.some(({ kind }) => kind === 'column') ? undefined : 'must name a column in braces, such as {title}';
}

/** Lists the columns that a template names. */
export function columnsOfTemplate(template: string): string[] {
  return [...new Set(piecesOf(template).flatMap((piece) => (piece.kind === 'column' ? [piece.name] : [])))];
}

/** Fills a template with the texts of columns; null is an empty text. */
export function fillTemplate(template: string, texts: Readonly<Record<string, string | null>>): string {
  return piecesOf(template)
    .map((piece) => (piece.kind === 'literal' ? piece.text : (texts[piece.name] ?? '')))
    .join('');
}

/** Joins the texts of columns by empty lines; nulls and empty texts are left out. */
export function joinTexts(columns: readonly string[], texts: Readonly<Record<string, string | null>>): string {
  return columns
    .map((column) => texts[column] ?? '')
    .filter((text) => text !== '')
    .join('\n\n');
}

function piecesOf(template: string): Piece[] {
  const pieces = parse(template);
  if (typeof pieces === 'string') throw new Error(pieces);
  return pieces;
}

/** Parses a template; returns a text if it is wrong. */
function parse(template: string): Piece[] | string {
  const pieces: Piece[] = [];
  let literal = '';
  for (let at = 0; at < template.length; at++) {
    const char = template[at] as string;
    if ((char === '{' || char === '}') && template[at + 1] === char) {
      literal += char;
      at++;
    } else if (char === '}') return `has a } at character ${at + 1} without a {; a brace is written }}`;
    else if (char === '{') {
      const end = template.indexOf('}', at);
      const name = template.slice(at + 1, end);
      if (end === -1) return `has a { at character ${at + 1} without a }; a brace is written {{`;
      if (name === '' || name.includes('{')) return `has no name of a column in the braces at character ${at + 1}`;
      pieces.push({ kind: 'literal', text: literal }, { kind: 'column', name });
      literal = '';
      at = end;
    } else literal += char;
  }
  return [...pieces, { kind: 'literal', text: literal }];
}
