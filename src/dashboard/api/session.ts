import { useSyncExternalStore } from 'react';

/** The token of this browser tab: forgotten when it is closed, and never written anywhere else. */
const KEY = 'reembed.token';

export interface Session {
  token: string | null;
  /** What the API said of the last call without a token, or with one it does not know. */
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

/** A call was answered with 401. One that was sent with an earlier token says nothing about this one. */
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
