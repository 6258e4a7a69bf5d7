import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { ReembedError } from '../../../src/client/client.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { type Api, type CallLog, insist } from '../accept.ts';
import type { Random } from '../random.ts';
import type { SideOracle, SideWrite } from './oracle.ts';
import { SIDE, SIDE_INDEXES } from './vandal.ts';

const OBJECTS = 40;
const PAUSE_MS = [100, 400] as const;
/** Valid answers to a write while the index or the alias is missing. */
const REFUSALS = ['IndexNotFound', 'IndexDeleting', 'IndexDeleted'];
const ENDED = ['done', 'refused', 'exhausted', 'canceled', 'ignored', 'failed'];

interface WriterParts {
  api: Api;
  log: CallLog;
  oracle: SideOracle;
  run: string;
  signal: AbortSignal;
}

/** Writes to the alias, or occasionally to an index by its name, one call after the other. */
export async function runSideWriter(parts: WriterParts, name: string, random: Random): Promise<void> {
  const { signal, run } = parts;
  for (let call = 1; !signal.aborted; call++) {
    const target = random.chance(0.6) ? SIDE : random.pick(SIDE_INDEXES);
    const kind = random.chance(0.8) ? 'upsert' : 'delete';
    const ids = new Set(Array.from({ length: 1 + random.below(4) }, () => `s-${random.below(OBJECTS)}`));
    const taskId = `${run}-${name}-${call}`;
    const items = [...ids].map((id) => (kind === 'upsert' ? { id, payload: `${taskId} writes ${id}` } : { id }));
    await send(parts, { taskId, target, kind, items }, random.chance(0.5));
    await sleep(random.between(...PAUSE_MS));
  }
}

async function send(
  { api, log, oracle }: WriterParts,
  sent: Pick<SideWrite, 'taskId' | 'target' | 'kind' | 'items'>,
  wait: boolean,
): Promise<void> {
  const { taskId, target, kind, items } = sent;
  const write: SideWrite = { ...sent, sentMs: Date.now(), acceptedMs: null, doneMs: null, refusal: null, end: null };
  // Recorded immediately: its result is checked at the end, whatever the answer was.
  oracle.writes.push(write);
  const call = async (signal: AbortSignal): Promise<Tracker> =>
    kind === 'upsert'
      ? api.tasks.upsert({ taskId, index: target, items: items as { id: string; payload: string }[] }, { wait, signal })
      : api.tasks.delete({ taskId, index: target, ids: items.map(({ id }) => id) }, { wait, signal });
  try {
    const { status } = await insist(log, `${kind} ${taskId}`, call, {
      expected: REFUSALS,
      ...(wait && { timeoutMs: 60_000 }),
    });
    write.acceptedMs = Date.now();
    if (status === 'done') write.doneMs = write.acceptedMs;
  } catch (error) {
    write.refusal = error instanceof Error ? error.name : 'unknown';
  }
}

/** Waits until each write has ended, even one whose answer was lost. @throws if some have not in time */
export async function settleSide(
  api: Api,
  log: CallLog,
  writes: readonly SideWrite[],
  withinMs: number,
): Promise<void> {
  const limit = pLimit(6);
  const endMs = Date.now() + withinMs;
  let open = [...writes];
  for (;;) {
    const left = await Promise.all(open.map((write) => limit(() => isOpen(api, log, write))));
    open = open.filter((_, at) => left[at]);
    if (open.length === 0) return;
    if (Date.now() > endMs) throw new Error(`${open.length} side writes are stuck, as ${open[0]?.taskId}`);
    await sleep(500);
  }
}

async function isOpen(api: Api, log: CallLog, write: SideWrite): Promise<boolean> {
  const { taskId, refusal } = write;
  try {
    const expected = refusal === null ? [] : ['TaskNotFound'];
    const tracker = await insist(log, `info ${taskId}`, () => api.tasks.info(taskId), { expected });
    if (!ENDED.includes(tracker.status) || /again in/.test(tracker.detail)) return true;
    write.end = tracker;
    return false;
  } catch (error) {
    if (error instanceof ReembedError && error.name === 'TaskNotFound') return false;
    throw error;
  }
}
