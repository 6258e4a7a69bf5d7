import { setTimeout as sleep } from 'node:timers/promises';
import { CallLog } from './accept.ts';
import { type ClientContext, send } from './clients.ts';
import type { DrainWatch } from './drains.ts';
import type { Random } from './random.ts';

/** A write of one object, from its sending to the answer that tells its end. */
export interface Probe {
  fromMs: number;
  toMs: number;
  /** As its tracker tells: how long a cut-over held it back. */
  heldBackMs: number;
}

const STEADY = 2;
const STEADY_PAUSE_MS = 100;
/** Writers of a burst; each has one write under way at most, so that a slow moment is not made slower. */
const BURST = 8;
/** Within which the writes of a burst are sent, at random moments. */
const WINDOW_MS = { renewal: 150, drain: 50 } as const;
const OBJECTS = 20;

/**
 * Measures how long writes take: a few follow each other all the time, and a burst comes whenever a lock is renewed and
 * whenever writers are held back. A lock is renewed right before its cut-over, so that many writes are under way then,
 * and every few seconds, so that there are bursts without a cut-over to compare with.
 */
export async function runProbes(
  context: ClientContext,
  name: string,
  random: Random,
  drains: DrainWatch,
): Promise<Probe[]> {
  const { signal } = context;
  const probes: Probe[] = [];
  const under = new Set<Promise<void>>();
  for (const event of ['renewal', 'drain'] as const) {
    const lanes = Array.from({ length: BURST }, (_, at) => new Lane(context, `${name}-${event}${at}`, probes));
    const burst = () => {
      for (const lane of lanes.filter(({ busy }) => !busy)) {
        const written = lane.write(random.between(0, WINDOW_MS[event])).finally(() => under.delete(written));
        under.add(written);
      }
    };
    drains.on(event, burst, signal);
  }
  const steady = async (lane: Lane) => {
    while (!signal.aborted) await lane.write(STEADY_PAUSE_MS);
  };
  await Promise.all(
    Array.from({ length: STEADY }, (_, at) => steady(new Lane(context, `${name}-steady${at}`, probes))),
  );
  await Promise.all(under);
  return probes;
}

/** Writes one object after the other, as one client. */
class Lane {
  busy = false;
  private readonly context: ClientContext;
  private readonly client: string;
  private readonly probes: Probe[];
  private calls = 0;

  constructor(context: ClientContext, client: string, probes: Probe[]) {
    this.context = context;
    this.client = client;
    this.probes = probes;
  }

  async write(afterMs: number): Promise<void> {
    const { context, client } = this;
    this.busy = true;
    await sleep(afterMs);
    const call = ++this.calls;
    const items = [{ id: `${client}-${call % OBJECTS}`, payload: `probe ${call} of ${client}`, metadata: { call } }];
    const log = new CallLog(context.log);
    const fromMs = Date.now();
    try {
      const taskId = `${context.run}-${client}-${call}`;
      const tracker = await send({ ...context, log }, { taskId, client, kind: 'upsert', items, form: 'json' }, true);
      // A call that had to be repeated tells of the outage, not of the write.
      if (log.retries > 0 || tracker.status !== 'done') return;
      this.probes.push({ fromMs, toMs: Date.now(), heldBackMs: Number(tracker.data.heldBackMs) });
    } catch {
      // A refusal is noted as a violation.
    } finally {
      this.busy = false;
    }
  }
}
