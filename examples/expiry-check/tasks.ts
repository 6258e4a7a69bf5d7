/**
 * Releases expired leases every minute. Each lease is a file in LEASES_DIR that contains its end time.
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
    description: 'Releases expired leases.',
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

// Created when a worker with this module starts. With a catch-up of one minute, older missed runs are skipped.
checkExpiry.every('1m', undefined, { overlap: 'skip', catchUp: '1m' });
