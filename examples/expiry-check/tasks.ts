/**
 * Every minute, leases that have expired are given back. Each is a file in LEASES_DIR that holds the time of its end.
 *
 *   LEASES_DIR=/var/lib/leases npx reembed dev --tasks examples/expiry-check
 *   npx reembed schedules list
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { defineTask } from 'reembed/jobs';

export const checkExpiry = defineTask(
  {
    name: 'check-expiry',
    description: 'Gives back what has expired.',
    timeout: '50s',
    // The next minute is soon enough.
    maxAttempts: 1,
    onDuplicate: 'discard',
  },
  async () => {
    const folder = process.env.LEASES_DIR ?? 'leases';
    const expired: string[] = [];
    for (const lease of await readdir(folder)) {
      const end = Date.parse(await readFile(path.join(folder, lease), 'utf8'));
      if (end > Date.now()) continue;
      await rm(path.join(folder, lease), { force: true });
      expired.push(lease);
    }
    return { expired };
  },
);

// Made when a worker starts that has this module; one minute that was missed is not made up for.
checkExpiry.every('1m', undefined, { overlap: 'skip', catchUp: '1m' });
