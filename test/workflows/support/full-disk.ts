import { sql } from 'kysely';
import type { Db } from '../../../src/store/database.ts';
import { tablesOf } from '../../../src/store/partitions.ts';

export interface FullDisk {
  /** Number of writes that Postgres has refused. */
  refusals(): Promise<number>;
  mend(): Promise<void>;
}

/** Makes Postgres refuse every write to an index's objects, as it does when its disk is full. */
export async function fillDisk(db: Db, indexNo: number): Promise<FullDisk> {
  const { objects } = tablesOf(indexNo);
  const [fault, tries] = [sql.id(`fault_${indexNo}`), sql.id(`tries_${indexNo}`)];
  // A sequence keeps its value although the transaction is rolled back.
  await sql`create sequence ${tries}`.execute(db);
  await sql`
    create function ${fault}() returns trigger language plpgsql as ${sql.lit(`
      begin
        perform nextval('tries_${indexNo}');
        raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
      end`)}`.execute(db);
  await sql`
    create trigger fault before insert or update on ${objects}
    for each statement execute function ${fault}()`.execute(db);
  return {
    async refusals() {
      const { rows } = await sql<{ last: number; called: boolean }>`
        select last_value as last, is_called as called from ${tries}`.execute(db);
      return rows[0]?.called ? rows[0].last : 0;
    },
    async mend() {
      await sql`drop trigger fault on ${objects}`.execute(db);
    },
  };
}
