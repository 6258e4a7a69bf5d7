import type { Part } from './split.ts';

/** Minimum length of a piece in characters. A model that refuses such a piece has a reason other than its length. */
const MIN_CHARS = 100;

/** Cuts a text in two, at white space near its middle if there is any. Returns null for a text below 200 characters. */
export function halve(text: string): string[] | null {
  if (text.length < 2 * MIN_CHARS) return null;
  const middle = Math.floor(text.length / 2);
  const space = text.slice(middle, middle + Math.floor(text.length / 8)).search(/\s/);
  let at = space === -1 ? middle : middle + space;
  // Never cut within a surrogate pair.
  if (/[\udc00-\udfff]/.test(text[at] ?? '')) at += 1;
  return [text.slice(0, at).trim(), text.slice(at).trim()].filter((piece) => piece !== '');
}

/** Returns the parts with each cut part replaced by one part for each of its pieces. */
export function withPieces(parts: readonly Part[], split: ReadonlyMap<number, readonly string[]>): Part[] {
  const pieces = parts.flatMap((part, at) => {
    let from = 0;
    const cut = split.get(at)?.map((text) => {
      const offset = part.text.indexOf(text, from);
      from = offset + text.length;
      return { ...part, text, start: part.start + offset, end: part.start + from };
    });
    return cut ?? [part];
  });
  return pieces.map((part, at) => ({ ...part, part: at }));
}
