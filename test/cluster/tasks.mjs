import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask } from 'reembed/jobs';
import { z } from 'zod';

// Long enough that a killed worker has some in progress.
defineTask(
  {
    name: 'count',
    input: z.strictObject({ at: z.int() }),
    timeout: '15s',
    maxAttempts: 5,
    backOff: { initial: '1s', factor: 1, max: '1s' },
  },
  async ({ at }) => {
    await sleep(1_000);
    return at;
  },
);
