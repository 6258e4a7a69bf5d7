/** Markdown helpers for the generated pages; all input comes from the code, so it is escaped like any data. */

export const code = (text: string) => `\`${text}\``;

/** Escapes a text so that Markdown shows it unchanged; code between backticks stays code. */
export function plain(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((piece, at) => (at % 2 === 1 ? piece : piece.replaceAll('<', '&lt;').replace(/([*_])/g, '\\$1')))
    .join('')
    .replaceAll('{{', '{&#8203;{');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('\n', ' ').replace(/(?<!\\)\|/g, '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** Joins blocks with a blank line between them; skips empty ones. */
export function blocks(...parts: readonly (string | undefined)[]): string {
  return `${parts.filter((part) => part).join('\n\n')}\n`;
}
