import { afterEach, expect, test, vi } from 'vitest';
import { Components } from '../../src/runtime/lifecycle.ts';
import { startTracing } from '../../src/runtime/tracing.ts';
import { silentLog } from '../support/rig.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

const start = (env: NodeJS.ProcessEnv) => {
  const { signal } = new AbortController();
  const context = { log: silentLog, say: () => {}, signal };
  return startTracing(new Components(signal), { env, service: 'reembed-api' }, context);
};

afterEach(() => {
  vi.doUnmock('@opentelemetry/sdk-trace-node');
});

test.each([
  ['nothing says where to send them', {}],
  ['the variable is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['OpenTelemetry is switched off', { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }],
  ['another signal alone is wanted', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
])('there are no traces when %s', async (_when, env) => {
  expect(await start(env)).toBe(false);
});

test('a process that cannot trace as configured reports what it lacks', async () => {
  vi.doMock('@opentelemetry/sdk-trace-node', () => {
    throw new Error('not installed');
  });
  await expect(start(ENDPOINT)).rejects.toMatchObject({
    type: 'InvalidSetting',
    message: expect.stringMatching(
      /^OTEL_EXPORTER_OTLP_ENDPOINT is set, .*\(npm install @opentelemetry\/sdk-trace-node /,
    ),
  });
});
