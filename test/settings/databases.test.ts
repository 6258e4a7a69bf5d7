import { describe, expect, test } from 'vitest';
import { databaseUrls, servedDatabases } from '../../src/settings/databases.ts';
import { secretsOf } from '../../src/settings/secrets.ts';
import { describeSettings, readSettings } from '../../src/settings/settings.ts';

const DATABASE_URL = 'postgres://main.example/reembed';
const EAST = 'postgres://me:very-secret@east.example/reembed';
const ENV = { DATABASE_URL, REEMBED_DATABASES: 'east=EAST_DATABASE, west=WEST_DATABASE', WEST_DATABASE: DATABASE_URL };

describe('the further databases', () => {
  test('have the addresses of their variables, which are secrets', () => {
    const env = { ...ENV, EAST_DATABASE: EAST };
    const settings = readSettings(env);
    expect(Object.fromEntries(databaseUrls(settings))).toEqual({ east: EAST, west: DATABASE_URL });
    expect(secretsOf(settings)).toContain('very-secret');
    expect(JSON.stringify(describeSettings(env))).not.toContain('very-secret');
  });

  test.each([undefined, '', 'mysql://east/x'])('need variables that are set to addresses (%j)', (value) => {
    expect(() => databaseUrls(readSettings({ ...ENV, EAST_DATABASE: value }))).toThrow(
      'EAST_DATABASE must be set to a postgres:// address: REEMBED_DATABASES names it for the database east',
    );
  });

  test('are refused beside the embedded database', () => {
    const settings = readSettings({ REEMBED_DATABASES: 'east=EAST_DATABASE', EAST_DATABASE: EAST });
    expect(() => databaseUrls(settings)).toThrow('DATABASE_URL must be set to a postgres:// address because');
  });
});

describe('a worker', () => {
  const served = (names?: string) => servedDatabases(readSettings({ ...ENV, REEMBED_WORKER_DATABASES: names }));

  test('serves all databases, or the given ones', () => {
    expect(served()).toEqual(['main', 'east', 'west']);
    expect(served('west,main,west')).toEqual(['west', 'main']);
  });

  test('is refused a database that is not known, with the names of the known ones', () => {
    expect(() => served('north')).toThrow('must be names of known databases: main, east, west');
  });
});
