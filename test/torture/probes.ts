import { setTimeout as sleep } from 'node:timers/promises';
import { CallLog } from './accept.ts';
import { type ClientContext, send } from './clients.ts';
import type { DrainWatch } from './drains.ts';
import type { Random } from './random.ts';

/** A write of one object, from its start to the answer after its end. */
export interface Probe {
  fromMs: number;
  toMs: number;
  /** How long a cut-over delayed it, from its tracker. */
  heldBackMs: number;
}

const STEADY = 2;
const STEADY_PAUSE_MS = 100;
/** Writers of a burst; each has at most one write in progress, so that they do not add to a slowdown. */
const BURST = 8;
/** Window in which the writes of a burst are sent, at random moments. */
const WINDOW_MS = { renewal: 150, drain: 50 } as const;
const OBJECTS = 20;

/**
 * Measures how long writes take: a few clients write continuously, and a burst follows each renewal of a lock and each
 * block of writers. A lock is renewed right before its cut-over, so that many writes are in progress then, and every
 * few seconds, which gives bursts without a cut-over for comparison.
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

/** One client that writes one object after the other. */
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
      // A call that had to be repeated measures the outage, not the write.
      if (log.retries > 0 || tracker.status !== 'done') return;
      this.probes.push({ fromMs, toMs: Date.now(), heldBackMs: Number(tracker.data.heldBackMs) });
    } catch {
      // A refusal is recorded as a violation.
    } finally {
      this.busy = false;
    }
  }
}
