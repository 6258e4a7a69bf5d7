import { setTimeout as sleep } from 'node:timers/promises';
import type { DeleteRequest, UpsertRequest } from '../../src/client/client.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { type Api, type CallLog, insist } from './accept.ts';
import { Author } from './content.ts';
import type { Oracle, Write } from './oracle.ts';
import type { Random } from './random.ts';

export const ALIAS = 'live';

export interface ClientContext {
  api: Api;
  oracle: Oracle;
  log: CallLog;
  /** Prefix of each task id: the tasks of two runs never collide. */
  run: string;
  objects: number;
  signal: AbortSignal;
}

type Sent = Pick<Write, 'taskId' | 'client' | 'kind' | 'items'> & { form: 'json' | 'lines' };

/** Sends one write until it is accepted, and only then records it in the oracle. */
export async function send({ api, oracle, log }: ClientContext, sent: Sent, wait = false): Promise<Tracker> {
  const { taskId, client, kind, items, form } = sent;
  const ids = items.map(({ id }) => id);
  const tracker = await insist(
    log,
    `${kind} ${taskId}`,
    (signal) => {
      const options = { wait, signal };
      if (form === 'lines') {
        const lines = { taskId, ...options };
        return kind === 'upsert'
          ? api.tasks.upsertStream(ALIAS, items as UpsertRequest['items'], lines)
          : api.tasks.deleteStream(ALIAS, ids, lines);
      }
      return kind === 'upsert'
        ? api.tasks.upsert({ taskId, index: ALIAS, items: items as UpsertRequest['items'] }, options)
        : api.tasks.delete({ taskId, index: ALIAS, ids: ids as DeleteRequest['ids'] }, options);
    },
    wait ? { timeoutMs: 60_000 } : {},
  );
  oracle.add({ taskId, client, kind, items, acceptedMs: Date.now(), toldVersion: tracker.version, end: null });
  return tracker;
}

/**
 * One user: writes, changes and deletes at random, one call after the other, through the alias. Half of the calls wait
 * for the end, so that no backlog grows.
 */
export async function runClient(context: ClientContext, name: string, random: Random): Promise<void> {
  const { run, objects, signal } = context;
  const author = new Author(random.fork('content'), name, objects);
  for (let call = 1; !signal.aborted; call++) {
    const kind = random.chance(0.75) ? 'upsert' : 'delete';
    const size = random.weighted({ one: 70, some: 20, many: 10 });
    const count =
      size === 'one'
        ? 1
        : (size === 'some' ? 2 : 10) + random.below((size === 'some' ? 8 : 40) / (kind === 'upsert' ? 1 : 4));
    const ids = author.ids(count);
    const items = kind === 'upsert' ? ids.map((id) => author.item(id)) : ids.map((id) => ({ id }));
    const form = size !== 'one' && random.chance(0.5) ? 'lines' : 'json';
    // A refusal is recorded as a violation; the others continue.
    await send(
      context,
      { taskId: `${run}-${name}-${call}`, client: name, kind, items, form },
      random.chance(0.5),
    ).catch(() => {});
    await sleep(random.between(100, 500));
  }
}
