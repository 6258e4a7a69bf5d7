/** Returns a payload as one text: a text as it is, anything else as JSON. */
export function textOf(payload: unknown): string {
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}
