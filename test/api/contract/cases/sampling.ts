import { saveQuerySet } from '../../../../src/store/query-sets.ts';
import { addSampledSearches, setSampling } from '../../../../src/store/sampled-searches.ts';
import { uniqueName } from '../../../store/builders.ts';
import type { Case } from '../case.ts';
import type { World } from '../world.ts';
import { placedElsewhere } from './placed.ts';

/** An alias with a sampled search. */
async function sampled({ db, alias, index }: World): Promise<string> {
  const name = await alias(await index());
  await setSampling(db, name, { share: 1, keepSeconds: 3_600 });
  const search = { alias: name, text: 'big cat', index: 'docs', limit: 10, filtered: false, hits: ['a'] };
  await addSampledSearches(db, [{ ...search, ageSeconds: 0 }]);
  return name;
}

const given = async (world: World) => ({ path: { alias: await sampled(world) } });
const nowhere = () => ({ path: { alias: 'nowhere' } });

export const samplingCases: Case[] = [
  { operation: 'setSampling', expect: 200, given },
  { operation: 'setSampling', expect: 'AliasNotFound', given: nowhere },
  { operation: 'getSampling', expect: 200, given },
  { operation: 'getSampling', expect: 'AliasNotFound', given: nowhere },
  { operation: 'endSampling', expect: 204, given },
  { operation: 'endSampling', expect: 'AliasNotFound', given: nowhere },
  { operation: 'listSampledSearches', expect: 200, given },
  { operation: 'listSampledSearches', expect: 'AliasNotFound', given: nowhere },
  {
    operation: 'sampleQuerySet',
    expect: 201,
    given: async (world) => ({ path: { querySet: uniqueName('set') }, body: { alias: await sampled(world) } }),
  },
  {
    operation: 'sampleQuerySet',
    expect: 200,
    given: async (world) => {
      const [querySet, alias] = [uniqueName('set'), await sampled(world)];
      await saveQuerySet(world.db, querySet, [{ id: 'q1', text: 'big cat', relevant: [] }]);
      return { path: { querySet }, body: { alias } };
    },
  },
  {
    operation: 'sampleQuerySet',
    expect: 'NameTaken',
    given: async (world) => {
      const querySet = await placedElsewhere(world, 'query-set');
      return { path: { querySet }, body: { alias: await sampled(world) } };
    },
  },
  { operation: 'sampleQuerySet', expect: 'AliasNotFound', given: () => ({ body: { alias: 'nowhere' } }) },
];
