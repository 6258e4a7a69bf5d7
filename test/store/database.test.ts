import { sql } from 'kysely';
import { expect, inject, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';

test('a connection that breaks in the middle of a transaction fails the transaction, not the process', async () => {
  const url = inject('postgresUrl');
  const broken: Error[] = [];
  const db = openDatabase({ url, onIdleError: (error) => broken.push(error) });
  const other = openDatabase({ url });
  const transaction = db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
    await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(other);
    await new Promise((resolve) => setTimeout(resolve, 100)); // Vitest fails the run for unhandled errors in between
    await sql`select 1`.execute(trx);
  });
  await expect(transaction).rejects.toThrow();
  expect(broken.length).toBeGreaterThan(0);
  await sql`select 1`.execute(db);
  await db.destroy();
  await other.destroy();
});
