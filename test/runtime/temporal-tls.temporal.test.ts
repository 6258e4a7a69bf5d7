import { createSecureServer, type Http2SecureServer, type IncomingHttpHeaders } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/runtime/logging.ts';
import { startTemporalDevServer } from '../../src/runtime/servers/temporal.ts';
import { connectTemporal, openTemporalClient } from '../../src/runtime/temporal-connection.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { type Certificate, filesOf, issue, makeAuthority } from '../support/certificates.ts';

const log = createLogger(readSettings({ REEMBED_LOG_LEVEL: 'silent' }));
const nowhere = { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' };

let behindIt: Awaited<ReturnType<typeof startTemporalDevServer>>;
let ours: Certificate;
let server: Certificate;
let files: Record<'ca' | 'otherCa' | 'cert' | 'key' | 'otherCert' | 'otherKey', string>;

beforeAll(async () => {
  const [authority, stranger] = await Promise.all([makeAuthority('ours'), makeAuthority('a stranger')]);
  ours = authority;
  server = await issue(ours, { of: 'server' });
  const client = await issue(ours, { of: 'client' });
  const other = await issue(stranger, { of: 'client' });
  files = filesOf({
    ca: ours.cert,
    otherCa: stranger.cert,
    cert: client.cert,
    key: client.key,
    otherCert: other.cert,
    otherKey: other.key,
  });
  behindIt = await startTemporalDevServer({ searchAttributes: {}, env: process.env, say: () => {} });
});
afterAll(() => behindIt?.stop());

const addressOf = (one: Server | Http2SecureServer) => `127.0.0.1:${(one.address() as AddressInfo).port}`;

describe('a Temporal server that requires certificates', () => {
  let front: Server;
  beforeAll(async () => {
    const [host = '', port] = behindIt.address.split(':');
    // Speaks TLS in front of the dev server, which does not.
    front = createServer({ ...server, ca: ours.cert, requestCert: true, ALPNProtocols: ['h2'] }, (socket) => {
      const behind = connect(Number(port), host);
      socket.pipe(behind).pipe(socket);
      for (const end of [socket, behind]) end.on('error', () => [socket, behind].map((each) => each.destroy()));
    });
    front.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => front?.close());

  const temporalWith = (variables: Record<string, string>) =>
    readSettings({ ...nowhere, TEMPORAL_ADDRESS: addressOf(front), ...variables }).temporal;
  const mutual = () => ({
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca,
    TEMPORAL_TLS_CLIENT_CERT_PATH: files.cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: files.key,
  });

  it('is reached by workers and the API with the certificates of the settings', async () => {
    const temporal = temporalWith(mutual());
    const connection = await connectTemporal(temporal, log, { waitMs: 10_000, say: () => {} });
    await connection.close();
    const api = openTemporalClient(temporal, log, AbortSignal.timeout(10_000));
    await api.ready;
    expect(await api.client.workflow.count()).toMatchObject({ count: 0 });
    await api.close();
  });

  it.each<[string, () => Record<string, string>]>([
    ['without a certificate of their own', () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca })],
    [
      'with a certificate of a stranger',
      () => ({
        ...mutual(),
        TEMPORAL_TLS_CLIENT_CERT_PATH: files.otherCert,
        TEMPORAL_TLS_CLIENT_KEY_PATH: files.otherKey,
      }),
    ],
    ['that trust another authority', () => ({ ...mutual(), TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.otherCa })],
    ['that trust the authorities of the system', () => ({ TEMPORAL_TLS: 'true' })],
    ['that expect another name', () => ({ ...mutual(), TEMPORAL_TLS_SERVER_NAME: 'temporal.example' })],
    ['that speak no TLS', () => ({})],
  ])('is not reached by workers and the API %s', async (_who, variables) => {
    const temporal = temporalWith(variables());
    const worker = connectTemporal(temporal, log, { waitMs: 0, say: () => {} });
    await expect(worker).rejects.toMatchObject({
      type: 'TemporalUnavailable',
      message: expect.stringMatching(/^Temporal at 127\.0\.0\.1:\d+ does not answer: \S/),
    });
    const { client, ready, close } = openTemporalClient(temporal, log, AbortSignal.timeout(500));
    const asked = client.withDeadline(Date.now() + 2_000, () => client.workflow.count());
    await Promise.all([expect(asked).rejects.toThrow(), expect(ready).rejects.toThrow()]);
    await close();
  });
});

it('an API key is sent over TLS, and by its presence turns TLS on', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const recorder = createSecureServer({ ...server, ALPNProtocols: ['h2'] });
  recorder.on('stream', (stream, headers) => {
    seen.push(headers);
    // gRPC's UNAUTHENTICATED.
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' }, { endStream: true });
  });
  await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
  try {
    const { temporal } = readSettings({
      ...nowhere,
      TEMPORAL_ADDRESS: addressOf(recorder),
      TEMPORAL_API_KEY: 'the-api-key',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: files.ca,
    });
    const connecting = connectTemporal(temporal, log, { waitMs: 5_000, say: () => {} });
    await expect(connecting).rejects.toMatchObject({ type: 'TemporalUnavailable' });
    await expect(connecting).rejects.not.toThrow(/the-api-key/);
    expect(seen[0]?.authorization).toBe('Bearer the-api-key');
    seen.length = 0;
    const { client, ready, close } = openTemporalClient(temporal, log, AbortSignal.timeout(3_000));
    await Promise.all([expect(client.workflow.count()).rejects.toThrow(), expect(ready).rejects.toThrow()]);
    expect(seen[0]?.authorization).toBe('Bearer the-api-key');
    await close();
  } finally {
    recorder.close();
  }
});
