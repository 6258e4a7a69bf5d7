import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { licencesPage, PAGE, PERMITTED, productionDependencies } from '../../scripts/write-licences.ts';

test('every dependency has a licence that permits what ours does', () => {
  const dependencies = productionDependencies();
  expect(dependencies.length).toBeGreaterThan(50);
  expect(dependencies.filter(({ licence }) => !PERMITTED.includes(licence))).toEqual([]);
});

test('one under another licence is found out, and one for development is none', () => {
  const packages = {
    '': { version: '0' },
    'node_modules/a': { version: '1.0.0', license: 'AGPL-3.0' },
    'node_modules/a/node_modules/@b/c': { version: '2.0.0' },
    'node_modules/d': { version: '3.0.0', license: 'AGPL-3.0', dev: true },
  };
  expect(productionDependencies(JSON.stringify({ packages }))).toEqual([
    { name: '@b/c', version: '2.0.0', licence: 'none told' },
    { name: 'a', version: '1.0.0', licence: 'AGPL-3.0' },
  ]);
});

test('they are listed as the lock file has them: else run scripts/write-licences.ts', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(licencesPage());
});
