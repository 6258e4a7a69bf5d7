import { useSyncExternalStore } from 'react';
import { absolute, relative } from './format.ts';

/** The shared clock of all times on a page. */
let now = new Date();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = new Date();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Returns the current time, once a second. */
export function useNow(): Date {
  return useSyncExternalStore(listen, () => now);
}

/** A relative time, with the exact time as its title. */
export function Moment({ at }: { at: string | Date }) {
  const moment = new Date(at);
  const clock = useNow();
  return (
    <time dateTime={moment.toISOString()} title={absolute(moment)} className="nowrap">
      {relative(moment, clock)}
    </time>
  );
}

/** A relative time and the exact one, for lists of events. */
export function ExactMoment({ at }: { at: string }) {
  return (
    <span>
      {absolute(new Date(at))} (<Moment at={at} />)
    </span>
  );
}
