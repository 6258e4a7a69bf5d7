import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'reembed/jobs';
import { z } from 'zod';

// Two lanes, so that each exists from before the upgrade until after it.
defineTask(
  {
    name: 'count',
    input: z.strictObject({ at: z.int() }),
    onDuplicate: 'serial',
    key: ({ at }) => String(at % 2),
    timeout: '15s',
  },
  async ({ at }) => {
    await sleep(400);
    return at;
  },
);
