import { useSyncExternalStore } from 'react';

/** Since when the API has not answered; null while it does. */
let lostSince: Date | null = null;
const listeners = new Set<() => void>();

/** Statuses of a proxy that cannot reach the API. */
const GATEWAY = new Set([502, 504]);

function change(next: Date | null): void {
  if ((next === null) === (lostSince === null)) return;
  lostSince = next;
  for (const listener of listeners) listener();
}

/** Records a response: every call of the page, including streams, shows whether the API is reachable. */
export function noteAnswer(response: Response): void {
  change(GATEWAY.has(response.status) ? new Date() : null);
}

/** Records a call without a response. */
export function noteNoAnswer(): void {
  change(new Date());
}

/** Returns since when the API has not answered, which is the age of the shown data; null while it answers. */
export function useLostSince(): Date | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lostSince,
  );
}
