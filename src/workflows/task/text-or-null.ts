/** Returns a text that a signal or an update carries, cut to a length; null for anything else, since tools can send it. */
export function textOrNull(given: unknown, maxChars: number): string | null {
  return typeof given === 'string' ? given.slice(0, maxChars) : null;
}
