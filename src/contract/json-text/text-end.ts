/** Returns where the string that begins at a quote ends; undefined if it does not. Reads each character once. */
export function endOfString(text: string, start: number): number | undefined {
  const end = /["\\]/g;
  for (let at = start + 1; at < text.length; ) {
    end.lastIndex = at;
    const found = end.exec(text)?.index;
    if (found === undefined) return undefined;
    if (text[found] === '"') return found + 1;
    at = found + 2;
  }
  return undefined;
}
