import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openConfiguredDatabase, requireMigrated } from '../../src/runtime/database.ts';
import { createLogger } from '../../src/runtime/logging.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { type Certificate, filesOf, issue, makeAuthority } from '../support/certificates.ts';

const log = createLogger(readSettings({ REEMBED_LOG_LEVEL: 'silent' }));
let front: Awaited<ReturnType<typeof startFront>>;
let files: Record<'ca' | 'otherCa', string>;

beforeAll(async () => {
  const [ours, stranger] = await Promise.all([makeAuthority('ours'), makeAuthority('a stranger')]);
  files = filesOf({ ca: ours.cert, otherCa: stranger.cert });
  front = await startFront(await issue(ours, { of: 'server' }));
});
afterAll(() => front?.server.close());

/** First message of a client that wants TLS: a length of 8 and a code. */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');

/** Speaks TLS in front of the real Postgres of the tests, which is built without it; also accepts plain clients. */
async function startFront(
  certificate: Certificate,
): Promise<{ server: Server; url: string; encrypted: () => boolean }> {
  const behind = new URL(inject('postgresUrl'));
  let encrypted = false;
  const join = (socket: Socket, first?: Buffer) => {
    const postgres = connect(Number(behind.port), behind.hostname);
    if (first) postgres.write(first);
    socket.pipe(postgres).pipe(socket);
    for (const end of [socket, postgres]) end.on('error', () => [socket, postgres].map((each) => each.destroy()));
  };
  const secureContext = createSecureContext(certificate);
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (first) => {
      encrypted = first.equals(SSL_REQUEST);
      if (!encrypted) return join(socket, first);
      socket.write('S');
      join(new TLSSocket(socket, { isServer: true, secureContext }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(behind);
  url.port = String((server.address() as AddressInfo).port);
  return { server, url: url.href, encrypted: () => encrypted };
}

const databaseAt = (address: string) => openConfiguredDatabase(readSettings({ DATABASE_URL: address }), log);

/** Whether an answer of Postgres came over TLS. */
async function isEncrypted(query: string): Promise<boolean> {
  const db = databaseAt(front.url + query);
  try {
    expect((await sql<{ one: number }>`select 1 as one`.execute(db)).rows).toEqual([{ one: 1 }]);
    return front.encrypted();
  } finally {
    await db.destroy();
  }
}

async function refusalOf(address: string) {
  const db = databaseAt(address);
  try {
    return await requireMigrated(db).then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    await db.destroy();
  }
}

it('Postgres is reached over TLS where its address says so, and its certificate is checked', async () => {
  expect(await isEncrypted(`?sslmode=verify-full&sslrootcert=${files.ca}`)).toBe(true);
  expect(await isEncrypted(`?sslmode=require&sslrootcert=${files.ca}`)).toBe(true);
  expect(await isEncrypted('?sslmode=no-verify')).toBe(true);
  expect(await isEncrypted('')).toBe(false);
});

it.each(['verify-full', 'require'])(
  'sslmode=%s refuses a certificate of an unknown authority immediately',
  async (mode) => {
    for (const authority of [`&sslrootcert=${files.otherCa}`, '']) {
      expect(await refusalOf(`${front.url}?sslmode=${mode}${authority}`)).toMatchObject({
        type: 'DatabaseUnavailable',
        // Waiting does not help.
        reason: 'refused',
        message: expect.stringMatching(/certificate of the database.*sslrootcert/),
      });
    }
  },
);

it('sslmode=verify-full refuses a certificate for another name', async () => {
  const elsewhere = front.url.replace('127.0.0.1', 'localhost');
  expect(await refusalOf(`${elsewhere}?sslmode=verify-full&sslrootcert=${files.ca}`)).toMatchObject({
    type: 'DatabaseUnavailable',
    reason: 'refused',
    message: expect.stringContaining('localhost'),
  });
});

it('a missing authority is reported with the name of its file', async () => {
  const missing = '/nonexistent/authority.pem';
  expect(await refusalOf(`${front.url}?sslmode=verify-full&sslrootcert=${missing}`)).toMatchObject({
    type: 'DatabaseUnavailable',
    reason: 'refused',
    message: expect.stringContaining(missing),
  });
});
