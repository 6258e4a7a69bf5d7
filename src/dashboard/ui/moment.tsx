import { useSyncExternalStore } from 'react';
import { absolute, exactTime, relative } from './format.ts';
import { useTimeFormat } from './time-format.ts';

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

/** A time in the format that was chosen for all; relative ones have the exact time as their title. */
export function Moment({ at }: { at: string | Date }) {
  const moment = new Date(at);
  const clock = useNow();
  const format = useTimeFormat();
  return (
    <time
      dateTime={moment.toISOString()}
      title={format === 'relative' ? absolute(moment) : relative(moment, clock)}
      className={format === 'relative' ? 'nowrap' : undefined}
    >
      {format === 'relative' ? relative(moment, clock) : exactTime(moment, format)}
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
