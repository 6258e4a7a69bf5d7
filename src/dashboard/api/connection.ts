import { useSyncExternalStore } from 'react';

/** Since when the API has not answered; null while it does. */
let lostSince: Date | null = null;
/** Whether Temporal or all workers are silent. */
let isSilent = false;
const listeners = new Set<() => void>();

/** Statuses of a proxy that cannot reach the API. */
const GATEWAY = new Set([502, 504]);

function tell(): void {
  for (const listener of listeners) listener();
}

function change(next: Date | null): void {
  if ((next === null) === (lostSince === null)) return;
  lostSince = next;
  tell();
}

/** Records a response: every call of the page, including streams, shows whether the API is reachable. */
export function noteAnswer(response: Response): void {
  change(GATEWAY.has(response.status) ? new Date() : null);
}

/** Records a call without a response. */
export function noteNoAnswer(): void {
  change(new Date());
}

/** Records whether Temporal or all workers are silent, as the API last said. */
export function noteSilence(silent: boolean): void {
  if (silent === isSilent) return;
  isSilent = silent;
  tell();
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Returns since when the API has not answered, which is the age of the shown data; null while it answers. */
export function useLostSince(): Date | null {
  return useSyncExternalStore(listen, () => lostSince);
}

/** Returns whether nothing that a page shows as running may be believed: the API, Temporal or all workers are silent. */
export function useStale(): boolean {
  return useSyncExternalStore(listen, () => lostSince !== null || isSilent);
}
