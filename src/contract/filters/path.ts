/** Maximum names of one path. */
export const MAX_PATH_NAMES = 50;

/**
 * Splits a name with dots into the names of its path. A backslash takes the next character literally. Returns a text if
 * the name is no path.
 */
export function namesOf(dotted: string): string[] | string {
  const names: string[] = [];
  let name = '';
  for (let at = 0; at < dotted.length; at++) {
    const char = dotted[at] as string;
    if (char === '.') {
      names.push(name);
      name = '';
    } else if (char !== '\\') name += char;
    else if (++at === dotted.length) return 'ends with a backslash, which takes the next character literally';
    else name += dotted[at];
  }
  names.push(name);
  if (names.length > 1 && names.includes('')) {
    return 'has an empty name beside a dot: a name with a dot is a path, and a dot in a name is written \\.';
  }
  return names.length > MAX_PATH_NAMES ? `must not have more than ${MAX_PATH_NAMES} names` : names;
}

/** Whether a name stands for itself. */
export function isPlainName(name: string): boolean {
  return !/[.\\]/.test(name);
}

/** Returns how a name is written that is not a path and not an operator. */
export function writtenName(name: string): string {
  const escaped = name.replace(/[.\\]/g, '\\$&');
  return escaped.startsWith('\\') ? escaped : `\\${escaped}`;
}
