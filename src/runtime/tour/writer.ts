import { setTimeout as delay } from 'node:timers/promises';
import type { ReembedClient } from '../../client/client.ts';
import type { WriteRecord } from './record.ts';

export interface WriterCounts {
  added: number;
  changed: number;
  deleted: number;
}

/** Number of users; each waits for its write before it makes the next. */
const WRITERS = 4;
const PAUSE_MS = 20;

/**
 * Adds, changes and deletes objects through the API until `signal` is aborted, with one task per write, and records
 * accepted writes. Each user has separate objects, so that no user deletes what another is changing.
 */
export async function writeUntil(
  client: ReembedClient,
  index: string,
  record: WriteRecord,
  signal: AbortSignal,
): Promise<WriterCounts> {
  const counts: WriterCounts = { added: 0, changed: 0, deleted: 0 };
  const ids = record.liveIds();
  const writer = async (no: number) => {
    const own = ids.filter((_, at) => at % WRITERS === no);
    for (let turn = 0; !signal.aborted; turn++) {
      if (turn % 5 === 4) {
        // Spread over the whole key space, so that some deleted objects have been copied and others not.
        const [id] = own.splice((turn * 7_919) % own.length, 1);
        if (id === undefined) return;
        const { version } = await client.tasks.delete({ index, ids: [id] }, { wait: true });
        record.note(id, version ?? 0, null);
        counts.deleted++;
      } else {
        const added = turn % 5 === 3;
        const id = added ? `new-${no}-${turn}` : (own[(turn * 6_007) % own.length] as string);
        const payload = `${added ? 'an object added' : 'a meaning changed'} while the index was rebuilt, turn ${turn} of user ${no}`;
        const { version } = await client.tasks.upsert({ index, items: [{ id, payload }] }, { wait: true });
        record.note(id, version ?? 0, payload);
        counts[added ? 'added' : 'changed']++;
      }
      await delay(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, no) => writer(no)));
  return counts;
}
