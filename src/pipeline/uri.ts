/** Schemes whose URIs name a place; other URIs (`data:`, `javascript:`) are content, which must not be repeated. */
const PLACES = new Set(['http:', 'https:', 'ftp:', 'file:', 's3:', 'gs:']);
const SHOWN_CHARS = 300;

/**
 * Returns a URI for errors and logs: without user name, password, query string and fragment, which may contain secrets
 * (as in signed URLs), and shortened.
 */
export function shownUri(uri: string): string {
  if (!URL.canParse(uri)) return 'the URI';
  const { protocol, host, pathname } = new URL(uri);
  if (!PLACES.has(protocol)) return `${protocol}…`;
  const shown = `${protocol}//${host}${pathname}`;
  return shown.length > SHOWN_CHARS ? `${shown.slice(0, SHOWN_CHARS)}…` : shown;
}
