import { describe, expect, test } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { createLogger } from '../../src/runtime/logging.ts';
import { requireTokens } from '../../src/runtime/processes/start-api.ts';
import { describeSettings, readSettings, unknownVariables } from '../../src/settings/settings.ts';
import { SETTINGS } from '../../src/settings/table.ts';

const LONG = 'a-token-of-twenty-four-chars-';

// No configuration file of the machine may have an effect.
const nowhere = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };
const read = (env: Record<string, string> = {}) => readSettings({ ...nowhere, ...env });

/** Wrong values for each variable that can be wrong. */
const BAD: Partial<Record<keyof typeof SETTINGS, string[]>> = {
  databaseUrl: ['mysql://localhost/x', 'localhost:5432', 'postgres://'],
  host: ['two words', 'http://x'],
  port: ['70000', '-1', '7400.5', 'http', '0x10'],
  apiTokens: [
    'short',
    'ann:view:only-23-characters-abc',
    'one,two words',
    'tokén',
    `ann:viewer:${LONG}`,
    `view:${LONG}`,
    `ann:view:${LONG}:y`,
    'ann:view:',
    'ann:view:only-23-characters-abc',
    'ann:view:sha256=12',
  ],
  requestsPerMinute: ['-1', 'many'],
  concurrentRequests: ['1.5', '1000001'],
  eventStreams: ['-1'],
  bodyMb: ['0', '32MB', '1025'],
  allowedHosts: ['https://a.example', 'a.example:80', 'a b'],
  modelKeys: ['KEY=', 'KEY=https://a.example/v1', 'DATABASE_URL=a.example'],
  corsOrigins: ['*', 'https://a.example/', 'a.example', 'https://a.example,*'],
  codecOrigins: ['null', 'http://localhost:8233/codec'],
  encryptionKeys: ['secret', 'id:c2hvcnQ=', `a b:${'A'.repeat(43)}=`],
  taskQueue: ['a queue', 'q'.repeat(201)],
  buildId: ['two words', 'a/b', 'b'.repeat(201)],
  deploymentName: ['a.b', 'a:b', 'two words'],
  logLevel: ['loud'],
  allowPrivateAddresses: ['maybe', '2'],
  objectHistory: ['maybe', '2'],
  loadTimeoutSeconds: ['0', '30s', '3601'],
  maxConcurrentReindexes: ['0', 'two'],
  indexMemoryMb: ['0', '256MB'],
  vectorIndexAfterParts: ['-5', '1e3'],
  tombstoneRetention: ['7', 'a week', '7w', '-1d'],
  sourceMaxChanges: ['999', '1e6'],
  databases: ['main=EAST', 'east', 'east=A,east=B', 'East=A', 'east=postgres://h/x', 'a-b=A', 'east=DATABASE_URL'],
  workerDatabases: ['a-b', 'East'],
  sourceConnections: ['DATABASE_URL', 'postgres://localhost', 'SHOP;OTHER'],
  copySharePercent: ['0', '101', 'half'],
  batchApiTexts: ['0', '50001', 'all'],
  searchSeconds: ['0', '3601', 'soon'],
  databaseConnections: ['0', '1001'],
  embedConcurrency: ['0', ''.padEnd(30, '9')],
  jobConcurrency: ['0', '10001', 'many'],
  modelLimits: ['{', '{"hash/a":{"requestsPerMinute":1}}'],
  modelBudgets: ['{', '{"openai/a":{"usd":0}}', '{"openai/a":{}}'],
  modelPrices: ['{', '{"openai/a":-1}'],
  shutdownSeconds: ['-1', 'soon'],
  drainSeconds: ['-1', '601'],
  temporalUiUrl: ['localhost:8233', 'javascript:alert(1)'],
  url: ['localhost:7400', 'ftp://x', 'nowhere'],
  token: ['two words'],
  workerMetricsAddress: ['70000', '127.0.0.1', ':7401', 'http://a:7401', 'a b:7401'],
};

/** These accept any text: whether the file or folder is usable shows when it is used. */
const ANY_TEXT = [
  'dataDir',
  'fileRoots',
  'tasks',
  'cacheDir',
  'tokenizerDir',
  'apiTokensFile',
  'encryptionKeysFile',
  'temporalCliPath',
  'temporalTestServerPath',
];

describe('a setting', () => {
  test('has a default or is null, and every default is valid', () => {
    const settings = read();
    expect(settings).toMatchObject({ port: 7400, host: '127.0.0.1', dataDir: '.reembed', taskQueue: 'reembed' });
    expect(settings).toMatchObject({ apiTokens: [], fileRoots: [], databaseUrl: null, maxConcurrentReindexes: 2 });
    expect(settings.temporal).toMatchObject({ address: 'localhost:7233', namespace: 'default', addressGiven: false });
  });

  test('is tested here, or accepts any text', () => {
    expect([...Object.keys(BAD), ...ANY_TEXT].sort()).toEqual(Object.keys(SETTINGS).sort());
  });

  for (const [name, values] of Object.entries(BAD)) {
    const { variable, secret, expected } = SETTINGS[name as keyof typeof SETTINGS];
    test.each(values)(`${variable} is reported in one line when its value is wrong (%j)`, (value) => {
      let error: unknown;
      try {
        read({ [variable]: value });
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(ReembedError);
      const { type, message } = error as ReembedError;
      expect(type).toBe('InvalidSetting');
      expect(message).not.toContain('\n');
      expect(message).toContain(variable);
      expect(message).toContain(expected);
      expect(message.includes(JSON.stringify(value))).toBe(!secret);
    });
  }

  test('counts as unset when it is empty', () => {
    expect(read({ REEMBED_PORT: '', REEMBED_API_TOKENS: ' ', TEMPORAL_ADDRESS: '' })).toMatchObject({
      port: 7400,
      apiTokens: [],
      temporal: { address: 'localhost:7233' },
    });
  });

  test('has commas between several values', () => {
    const hash = 'ab'.repeat(32);
    const tokens = `${LONG}1, bob:${LONG}2, ann:view:${LONG}3, ci:operate:sha256=${hash},`;
    expect(read({ REEMBED_API_TOKENS: tokens, REEMBED_FILE_ROOTS: '/a,/b c' })).toMatchObject({
      apiTokens: [
        { name: 'token-1', role: 'admin', token: `${LONG}1` },
        { name: 'bob', role: 'admin', token: `${LONG}2` },
        { name: 'ann', role: 'view', token: `${LONG}3` },
        { name: 'ci', role: 'operate', sha256: hash },
      ],
      fileRoots: ['/a', '/b c'],
    });
  });
});

describe('the Temporal server', () => {
  test('is read as Temporal itself reads it', () => {
    const { temporal } = read({ TEMPORAL_ADDRESS: 'cloud:7233', TEMPORAL_NAMESPACE: 'n', TEMPORAL_API_KEY: 'key' });
    expect(temporal).toMatchObject({ address: 'cloud:7233', namespace: 'n', addressGiven: true });
    expect(temporal.connection).toMatchObject({ address: 'cloud:7233', apiKey: 'key', tls: true });
  });

  test.each([
    { TEMPORAL_ADDRESS: 'two words' },
    { TEMPORAL_ADDRESS: 'http://localhost:7233' },
    { TEMPORAL_PROFILE: 'no-such-profile' },
    { TEMPORAL_CONFIG_FILE: '/no/such/file' },
    { TEMPORAL_TLS_CLIENT_CERT_PATH: '/no/such/file' },
  ])('is reported in one line when it is given wrongly (%j)', (env) => {
    expect(() => read(env as unknown as Record<string, string>)).toThrow(/^[^\n]*TEMPORAL_[^\n]*$/);
  });
});

test('a host that other machines can reach needs tokens', () => {
  expect(() => requireTokens(read({ REEMBED_HOST: '0.0.0.0' }))).toThrow(
    /REEMBED_API_TOKENS_FILE must be set.*"0.0.0.0"/,
  );
  for (const host of ['127.0.0.1', '127.8.0.1', '::1', 'localhost']) requireTokens(read({ REEMBED_HOST: host }));
  requireTokens(read({ REEMBED_HOST: '0.0.0.0', REEMBED_API_TOKENS: `${LONG}1` }));
});

test('an unknown variable is reported, with the setting that was probably meant', () => {
  expect(unknownVariables({ REEMBED_PROT: '1', REEMBED_PORT: '1', REEMBED_SOMETHING_ELSE: '1', OTHER: '1' })).toEqual([
    'REEMBED_PROT is not a setting of reembed and has no effect; did you mean REEMBED_PORT?',
    'REEMBED_SOMETHING_ELSE is not a setting of reembed and has no effect',
  ]);
});

describe('a secret', () => {
  const env = {
    DATABASE_URL: 'postgres://me:pass%40word@db:5432/reembed?sslmode=require',
    REEMBED_API_TOKENS: 'first-token-with-so-many-chars,second-token-with-so-many-chars',
    REEMBED_TOKEN: 'my-token',
    TEMPORAL_API_KEY: 'temporal-key',
    TEMPORAL_TLS_CLIENT_KEY_DATA: 'client-key',
    PGPASSWORD: 'pg-password',
  };
  const secrets = [
    'pass%40word',
    'pass@word',
    'first-token-with-so-many-chars',
    'second-token-with-so-many-chars',
    'my-token',
    'temporal-key',
    'client-key',
  ];

  test('is masked where settings are shown', () => {
    const shown = JSON.stringify(describeSettings(env));
    for (const secret of secrets) expect(shown).not.toContain(secret);
    expect(shown).toContain('postgres://***@db:5432/reembed');
  });

  test('is removed from every line of the log', () => {
    let logged = '';
    const write = (text: string) => {
      logged += text;
    };
    const log = createLogger(read(env), { write });
    for (const secret of [...secrets, 'pg-password']) {
      log.info({ deep: { inside: [secret] }, headers: { authorization: `Bearer x-${secret}` } }, `said ${secret}`);
      log.error({ err: new Error(`failed with ${secret}`) });
    }
    expect(logged.split('\n')).toHaveLength(2 * (secrets.length + 1) + 1);
    for (const secret of [...secrets, 'pg-password', 'Bearer']) expect(logged).not.toContain(secret);
  });
});

test('the log is JSON for machines and readable on a terminal', () => {
  const lines: string[] = [];
  const write = (text: string) => lines.push(text);
  createLogger(read(), { write }).warn({ index: 'docs' }, 'slow');
  createLogger(read(), { write, isTTY: true }).error({ err: new Error('broken') }, 'it failed');
  createLogger(read({ REEMBED_LOG_LEVEL: 'error' }), { write }).warn('not told');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', msg: 'slow', index: 'docs' });
  expect(lines[1]).toMatch(/\d\d:\d\d:\d\d.*ERROR.*it failed\n {4}Error: broken\n/s);
  expect(lines).toHaveLength(2);
});
