import { sql } from 'kysely';
import type { Trx } from '../database.ts';

/**
 * Sets settings of the transaction on the coordinator and on all nodes that take part. Citus passes on only `set local`,
 * and of a message with several statements the whole text, so each is a message of its own.
 */
export async function setOnNodes(trx: Trx, settings: Record<string, string>): Promise<void> {
  await sql`set local citus.propagate_set_commands = 'local'`.execute(trx);
  for (const [name, value] of Object.entries(settings)) {
    await sql`set local ${sql.raw(name)} = ${sql.lit(value)}`.execute(trx);
  }
}
