/** What a terminal obeys instead of showing it, and marks that turn the direction of what stands beside them. */
const CONTROL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const COLOUR = /(\u001b\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m)/;

/** A text without what a terminal would obey; tabs and line breaks stay. */
export function cleanText(text: string): string {
  return text.replace(CONTROL, ' ');
}

/** The same, but colours stay. */
export function cleanColoured(text: string): string {
  return text
    .split(COLOUR)
    .map((piece, at) => (at % 2 === 1 ? piece : cleanText(piece)))
    .join('');
}

/** JSON whose texts hold no such character either: it is written as an escape, so the values stay as they are. */
export function cleanJson(json: string): string {
  return json.replace(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
