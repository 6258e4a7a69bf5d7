import { context, propagation, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { connectJobs, createRegistry, defineTask, type Registry } from '../../src/jobs/index.ts';
import { useJobs } from './support.ts';

/** Returns the trace that its handler runs in. */
const define = (registry: Registry) =>
  defineTask({ name: 'traced', registry }, () => trace.getActiveSpan()?.spanContext().traceId ?? null);

const world = useJobs('dev', define);
const provider = new NodeTracerProvider();
let jobs: ReturnType<typeof connectJobs>;
let traced: ReturnType<typeof define>;

beforeAll(() => {
  provider.register();
  vi.stubEnv('TEMPORAL_ADDRESS', world.environment.address);
  vi.stubEnv('TEMPORAL_NAMESPACE', world.environment.namespace);
  const registry = createRegistry();
  traced = define(registry);
  jobs = connectJobs({ registry, taskQueue: world.rig.taskQueue });
});
afterAll(async () => {
  await jobs?.close();
  await provider.shutdown();
  for (const api of [trace, context, propagation]) api.disable();
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ['directly', 'parallel'],
  ['by its lane', 'serial'],
  ['by its lane, after another trace,', 'serial'],
] as const)('a job of connectJobs that is started %s runs in the trace of its sender', async (_how, onDuplicate) => {
  const tracer = trace.getTracer('test');
  const sent = await tracer.startActiveSpan('sender', async (span) => {
    const job = await traced.applyAsync(undefined, { onDuplicate });
    span.end();
    return { job, traceId: span.spanContext().traceId };
  });
  expect(await sent.job.result()).toBe(sent.traceId);
});
