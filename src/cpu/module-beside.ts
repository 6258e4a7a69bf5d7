/**
 * Returns the module with this name beside the caller, whose URL is given, for threads and processes: they do not inherit
 * the loader of TypeScript, so that a program that runs from its sources gets the entry point `NAME-dev.mjs`.
 */
export function moduleBeside(url: string, name: string): URL {
  return new URL(url.endsWith('.ts') ? `./${name}-dev.mjs` : `./${name}.js`, url);
}
