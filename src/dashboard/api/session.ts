import { useSyncExternalStore } from 'react';

/** Storage key of the token, which is kept for this browser tab only and is lost when the tab is closed. */
const KEY = 'reembed.token';

export interface Session {
  token: string | null;
  /** Why the API rejected the last call without a token or with an unknown one. */
  refused: string | null;
}

let session: Session = { token: sessionStorage.getItem(KEY), refused: null };
const listeners = new Set<() => void>();

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

export function currentToken(): string | null {
  return session.token;
}

/** Records a 401 response. Ignores it if the call was sent with an earlier token. */
export function refuse(token: string | null): void {
  if (token !== session.token || session.refused !== null) return;
  change({
    ...session,
    refused: token === null ? 'This server needs a token.' : 'The server does not know this token.',
  });
}

export function signIn(token: string): void {
  sessionStorage.setItem(KEY, token);
  change({ token, refused: null });
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  change({ token: null, refused: 'Signed out.' });
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}
