/**
 * Creates a validator of search parameters: keeps those with a name, as texts, and ignores all others, so that a bad link
 * still works. Which values are valid is up to the page: the frame loads no schemas before its first paint.
 */
export function texts<Name extends string>(...names: Name[]) {
  return (search: Record<string, unknown>): { [N in Name]?: string } => {
    const known = names.flatMap((name) => {
      const value = search[name];
      // A text that looks like JSON, such as a number or a filter, arrives as its value.
      const text = typeof value === 'string' || value === undefined ? value : JSON.stringify(value);
      return text === undefined || text === '' ? [] : [[name, text]];
    });
    return Object.fromEntries(known);
  };
}

/** Returns the value if it is one of a list. */
export function oneOf<Value extends string>(list: readonly Value[], value: string | undefined): Value | undefined {
  return list.find((each) => each === value);
}
