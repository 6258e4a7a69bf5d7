/** A clock change in a time zone. Offsets are minutes ahead of UTC. */
export interface ClockChange {
  atMs: number;
  before: number;
  after: number;
}

/** The offset of a time zone over a period: at its start, and its changes, oldest first. */
export interface ClockChanges {
  first: number;
  changes: readonly ClockChange[];
}

const MINUTE_MS = 60_000;
/** No zone changes its offset twice within this time: Morocco changes twice within five weeks. */
const STEP_MS = 86_400_000;

const known = new Map<string, ClockChanges>();

/** Returns the clock changes of a zone in the UTC years `from` to `until`, by the time zone data of this process. */
export function clockChanges(timeZone: string, from: number, until: number): ClockChanges {
  const key = `${timeZone} ${from} ${until}`;
  const found = known.get(key) ?? look(timeZone, Date.UTC(from, 0), Date.UTC(until + 1, 0));
  known.set(key, found);
  return found;
}

function look(timeZone: string, fromMs: number, untilMs: number): ClockChanges {
  const offsetAt = offsetsOf(timeZone);
  const first = offsetAt(fromMs);
  const changes: ClockChange[] = [];
  for (let atMs = fromMs, before = first; atMs < untilMs; atMs += STEP_MS) {
    const after = offsetAt(atMs + STEP_MS);
    if (after === before) continue;
    changes.push({ atMs: changeBetween(offsetAt, atMs, atMs + STEP_MS), before, after });
    before = after;
  }
  return { first, changes };
}

/** Finds the first minute with the offset of the later time. */
function changeBetween(offsetAt: (ms: number) => number, earlyMs: number, lateMs: number): number {
  const after = offsetAt(lateMs);
  let [early, late] = [earlyMs / MINUTE_MS, lateMs / MINUTE_MS];
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2);
    if (offsetAt(middle * MINUTE_MS) === after) late = middle;
    else early = middle;
  }
  return late * MINUTE_MS;
}

/** Returns a function that gives the offset of a zone in minutes ahead of UTC. */
function offsetsOf(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (ms) => {
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(format.format(ms)) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) + 0;
  };
}
