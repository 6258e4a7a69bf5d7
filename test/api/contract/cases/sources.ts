import { sql } from 'kysely';
import { sourceDefinitionSchema } from '../../../../src/contract/sources.ts';
import { checkSource } from '../../../../src/store/sources/check.ts';
import { installSource } from '../../../../src/store/sources/install.ts';
import { uniqueName } from '../../../store/builders.ts';
import type { Case } from '../case.ts';
import type { World } from '../world.ts';
import { placedElsewhere } from './placed.ts';

/** A source of a table that exists, as the path and the body of a request. */
async function definable({ db, index }: World) {
  const source = uniqueName('source');
  const table = source.replaceAll('-', '_');
  await sql.raw(`create table ${table} (id int primary key, body text)`).execute(db);
  return { path: { source }, body: { index: await index(), table, text: ['body'] } };
}

/** One that is set up. */
async function stored(world: World) {
  const { path, body } = await definable(world);
  const { db } = world;
  const checked = await checkSource(db, path.source, sourceDefinitionSchema.parse(body), () => db);
  await installSource(db, db, path.source, checked);
  return { path, body };
}

const nowhere = () => ({ path: { source: 'nowhere' } });
const one = (world: World) => stored(world).then(({ path }) => ({ path }));

export const sourceCases: Case[] = [
  { operation: 'saveSource', expect: 201, given: definable },
  { operation: 'saveSource', expect: 200, given: stored },
  {
    operation: 'saveSource',
    expect: 200,
    given: async (world) => ({ ...(await definable(world)), query: { plan: 'true' } }),
  },
  { operation: 'saveSource', expect: 'TemporalUnavailable', on: 'noTemporal', given: definable },
  {
    operation: 'saveSource',
    expect: 'NameTaken',
    given: async (world) => ({
      ...(await definable(world)),
      path: { source: await placedElsewhere(world, 'source') },
    }),
  },
  { operation: 'listSources', expect: 200, given: (world) => stored(world).then(() => ({})) },
  { operation: 'getSource', expect: 200, given: one },
  { operation: 'getSource', expect: 'SourceNotFound', given: nowhere },
  { operation: 'startSource', expect: 200, given: one },
  { operation: 'startSource', expect: 'SourceNotFound', given: nowhere },
  { operation: 'startSource', expect: 'TemporalUnavailable', on: 'noTemporal', given: one },
  { operation: 'stopSource', expect: 200, given: one },
  { operation: 'stopSource', expect: 'SourceNotFound', given: nowhere },
  { operation: 'stopSource', expect: 'TemporalUnavailable', on: 'noTemporal', given: one },
  { operation: 'deleteSource', expect: 200, given: one },
  { operation: 'deleteSource', expect: 'SourceNotFound', given: nowhere },
  { operation: 'deleteSource', expect: 'TemporalUnavailable', on: 'noTemporal', given: one },
];
