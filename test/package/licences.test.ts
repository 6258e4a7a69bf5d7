import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { licencesPage, PAGE, PERMITTED, productionDependencies } from '../../scripts/write-licences.ts';

test('every dependency has a license that permits what ours does', () => {
  const dependencies = productionDependencies();
  expect(dependencies.length).toBeGreaterThan(50);
  expect(dependencies.filter(({ licence }) => !PERMITTED.includes(licence))).toEqual([]);
});

test('a dependency with another license is detected, unless it is for development only', () => {
  const packages = {
    '': { version: '0' },
    'node_modules/a': { version: '1.0.0', license: 'AGPL-3.0' },
    'node_modules/a/node_modules/@b/c': { version: '2.0.0' },
    'node_modules/d': { version: '3.0.0', license: 'AGPL-3.0', dev: true },
  };
  expect(productionDependencies(JSON.stringify({ packages }))).toEqual([
    { name: '@b/c', version: '2.0.0', licence: 'unknown' },
    { name: 'a', version: '1.0.0', licence: 'AGPL-3.0' },
  ]);
});

test('the licenses are listed as in the lock file: else run scripts/write-licences.ts', () => {
  expect(readFileSync(PAGE, 'utf8')).toBe(licencesPage());
});
