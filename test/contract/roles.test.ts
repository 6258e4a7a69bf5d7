import { expect, test } from 'vitest';
import { mayDo, ROLES } from '../../src/contract/roles.ts';

test('a role includes those with fewer rights, but neither of queries and approve the other', () => {
  const included = Object.fromEntries(ROLES.map((role) => [role, ROLES.filter((least) => mayDo(role, least))]));
  expect(included).toEqual({
    view: ['view'],
    operate: ['view', 'operate'],
    queries: ['view', 'operate', 'queries'],
    approve: ['view', 'operate', 'approve'],
    admin: ['view', 'operate', 'queries', 'approve', 'admin'],
  });
});
