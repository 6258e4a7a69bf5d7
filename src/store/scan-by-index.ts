import { sql } from 'kysely';
import { isDistributed } from './citus/layout.ts';
import { setOnNodes } from './citus/set-on-nodes.ts';
import type { Trx } from './database.ts';

/**
 * Makes the next statements of a transaction read parts in the order of the HNSW index, until a rollback. A sort would
 * compare all parts; a relaxed order loses no part that the scan reaches late.
 */
export async function scanByIndex(trx: Trx, efSearch: number): Promise<void> {
  if (await isDistributed(trx)) {
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
  await sql`
    select set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),
      set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', ${String(efSearch)}, true)`.execute(
    trx,
  );
}
