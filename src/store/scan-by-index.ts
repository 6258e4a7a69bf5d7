import { sql } from 'kysely';
import { isDistributed } from './citus/layout.ts';
import { setOnNodes } from './citus/set-on-nodes.ts';
import type { Trx } from './database.ts';

/**
 * Makes the next statements of a transaction read parts in the order of the HNSW index, until `endScan`. A sort would
 * compare all parts; a relaxed order loses no part that the scan reaches late.
 */
export async function beginScan(trx: Trx, efSearch: number): Promise<void> {
  if (await isDistributed(trx)) {
    await sql`savepoint by_index`.execute(trx);
    return setOnNodes(trx, {
      jit: 'off',
      enable_sort: 'off',
      enable_seqscan: 'off',
      enable_hashjoin: 'off',
      enable_mergejoin: 'off',
      'hnsw.iterative_scan': 'relaxed_order',
      'hnsw.ef_search': String(efSearch),
    });
  }
  // One round trip, which searches wait for.
  await sql`
    savepoint by_index;
    set local enable_sort = off;
    set local enable_seqscan = off;
    set local hnsw.iterative_scan = relaxed_order;
    set local hnsw.ef_search = ${sql.lit(efSearch)}`.execute(trx);
}

/** Restores the settings, and closes what the scan has opened. */
export async function endScan(trx: Trx): Promise<void> {
  await sql`rollback to savepoint by_index`.execute(trx);
}
