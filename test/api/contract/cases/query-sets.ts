import { saveQuerySet } from '../../../../src/store/query-sets.ts';
import { uniqueName } from '../../../store/builders.ts';
import type { Case } from '../case.ts';
import type { World } from '../world.ts';
import { placedElsewhere } from './placed.ts';

/** A stored query set, as the path parameter of a request. */
async function stored({ db }: World): Promise<{ path: { querySet: string } }> {
  const querySet = uniqueName('set');
  await saveQuerySet(db, querySet, [{ id: 'q1', text: 'big cat', relevant: [{ id: 'a', grade: 1 }] }]);
  return { path: { querySet } };
}

const nowhere = () => ({ path: { querySet: 'nowhere' } });
const queries = [{ id: 'q1', text: 'big cat' }];

export const querySetCases: Case[] = [
  { operation: 'saveQuerySet', expect: 201, given: () => ({ path: { querySet: uniqueName('set') } }) },
  { operation: 'saveQuerySet', expect: 200, given: stored },
  {
    operation: 'saveQuerySet',
    expect: 'IndexNotFound',
    given: () => ({ body: { queries, checkIndex: 'nowhere' } }),
  },
  {
    operation: 'saveQuerySet',
    expect: 'IndexDeleting',
    given: async ({ deletingIndex }) => ({ body: { queries, checkIndex: await deletingIndex() } }),
  },
  {
    operation: 'saveQuerySet',
    expect: 'NameTaken',
    given: async (world) => ({ path: { querySet: await placedElsewhere(world, 'query-set') } }),
  },
  { operation: 'listQuerySets', expect: 200, given: (world) => stored(world).then(() => ({})) },
  { operation: 'getQuerySet', expect: 200, given: stored },
  { operation: 'getQuerySet', expect: 'QuerySetNotFound', given: nowhere },
  { operation: 'listQueries', expect: 200, given: stored },
  { operation: 'listQueries', expect: 'QuerySetNotFound', given: nowhere },
  { operation: 'deleteQuerySet', expect: 204, given: stored },
  { operation: 'deleteQuerySet', expect: 'QuerySetNotFound', given: nowhere },
];
