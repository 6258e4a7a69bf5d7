/** Control characters that terminals interpret, and marks that change the direction of the text around them. */
const CONTROL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const COLOUR = /(\u001b\[(?:\d{1,3}(?:;\d{1,3}){0,4})?m)/;

/** Replaces control characters with spaces; keeps tabs and line breaks. */
export function cleanText(text: string): string {
  return text.replace(CONTROL, ' ');
}

/** Replaces control characters with spaces, but keeps color sequences. */
export function cleanColoured(text: string): string {
  return text
    .split(COLOUR)
    .map((piece, at) => (at % 2 === 1 ? piece : cleanText(piece)))
    .join('');
}

/** Escapes the control characters in a JSON text, so that its values stay the same. */
export function cleanJson(json: string): string {
  return json.replace(CONTROL, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
