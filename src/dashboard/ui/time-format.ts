import { useSyncExternalStore } from 'react';

/** How times are shown: as what is left or past, or as the time of this place or of Greenwich. */
export const TIME_FORMATS = ['relative', 'local', 'UTC'] as const;
export type TimeFormat = (typeof TIME_FORMATS)[number];

const KEY = 'reembed-times';
const listeners = new Set<() => void>();
let format = stored();

function stored(): TimeFormat {
  try {
    return TIME_FORMATS.find((each) => each === localStorage.getItem(KEY)) ?? 'relative';
  } catch {
    // A browser may forbid the storage.
    return 'relative';
  }
}

/** Shows all times of all pages in a format, also after the next load. */
export function setTimeFormat(next: TimeFormat): void {
  format = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Then it lasts until the next load.
  }
  for (const listener of listeners) listener();
}

export function useTimeFormat(): TimeFormat {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => format,
  );
}
