/** A moment at which the clocks of a zone are moved. Offsets are minutes ahead of UTC. */
export interface ClockChange {
  atMs: number;
  before: number;
  after: number;
}

/** The offset of a zone over a stretch of time: at its beginning, and where it changes, oldest first. */
export interface ClockChanges {
  first: number;
  changes: readonly ClockChange[];
}

const MINUTE_MS = 60_000;
/** A zone leaves no offset sooner: Morocco moves its clocks twice within five weeks. */
const STEP_MS = 86_400_000;

const known = new Map<string, ClockChanges>();

/** When the clocks of a zone change within whole years of UTC, `from` to `until`. As good as the data of this process. */
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

/** The first minute with the offset of the later moment. */
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

/** Minutes ahead of UTC. */
function offsetsOf(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (ms) => {
    const [, sign, hours, minutes] = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(format.format(ms)) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) + 0;
  };
}
