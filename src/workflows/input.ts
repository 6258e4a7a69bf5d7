/**
 * What a workflow was started with, as an object whatever it is: a person may have left it out. `admit` then says what
 * is missing.
 */
export function bodyOf<T extends object>(input: T): T {
  const given: unknown = input;
  return typeof given === 'object' && given !== null && !Array.isArray(given) ? input : ({} as T);
}
