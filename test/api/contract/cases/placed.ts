import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { NameKind } from '../../../../src/contract/databases.ts';
import { uniqueName } from '../../../store/builders.ts';
import type { World } from '../world.ts';

/** A name that another database of the system has. */
export async function placedElsewhere({ db }: Pick<World, 'db'>, kind: NameKind): Promise<string> {
  const name = uniqueName('placed');
  await sql`
    insert into reembed.placements (kind, name, database, claim)
    values (${kind}, ${name}, 'east', ${randomUUID()}::uuid)`.execute(db);
  return name;
}
