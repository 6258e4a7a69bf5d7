import { useSyncExternalStore } from 'react';

/** Since when the API has not answered; null while it does. */
let lostSince: Date | null = null;
const listeners = new Set<() => void>();

/** Answers of something in between that cannot reach the API either. */
const GATEWAY = new Set([502, 504]);

function change(next: Date | null): void {
  if ((next === null) === (lostSince === null)) return;
  lostSince = next;
  for (const listener of listeners) listener();
}

/** Notes how a call went: every call of the page, streams included, tells whether the API is there. */
export function noteAnswer(response: Response): void {
  change(GATEWAY.has(response.status) ? new Date() : null);
}

/** Notes a call that got no answer. */
export function noteNoAnswer(): void {
  change(new Date());
}

/** Since when the API has not answered, which is how old what is shown is; null while it answers. */
export function useLostSince(): Date | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lostSince,
  );
}
