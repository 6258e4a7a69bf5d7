import { expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { SEARCH_TOOLS } from '../../../src/integrations/mcp/search-tools.ts';

test('the list of indexes names the databases that do not answer', async () => {
  const answerWith = (body: object) =>
    createClient({ baseUrl: 'http://localhost', fetch: async () => Response.json(body) });
  const list = SEARCH_TOOLS.find(({ name }) => name === 'list_indexes');
  expect(await list?.call(answerWith({ indexes: [], unavailable: ['east'] }), {})).toEqual({
    unavailableDatabases: ['east'],
    total: 0,
    indexes: [],
  });
  expect(await list?.call(answerWith({ indexes: [] }), {})).toEqual({ total: 0, indexes: [] });
});
