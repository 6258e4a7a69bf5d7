/** Schemes whose rest is a place; of the others (`data:`, `javascript:`) it is content, which must not be repeated. */
const PLACES = new Set(['http:', 'https:', 'ftp:', 'file:', 's3:', 'gs:']);
const SHOWN_CHARS = 300;

/**
 * A URI as it may be shown in errors and logs: without user name, password, query string and fragment, which may carry
 * secrets (signed URLs do), and of limited length.
 */
export function shownUri(uri: string): string {
  if (!URL.canParse(uri)) return 'the URI';
  const { protocol, host, pathname } = new URL(uri);
  if (!PLACES.has(protocol)) return `${protocol}…`;
  const shown = `${protocol}//${host}${pathname}`;
  return shown.length > SHOWN_CHARS ? `${shown.slice(0, SHOWN_CHARS)}…` : shown;
}
