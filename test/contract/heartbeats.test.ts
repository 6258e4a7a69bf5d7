import { expect, test } from 'vitest';
import { HEARTBEAT, STICKY_TIMEOUT_MS } from '../../src/contract/heartbeats.ts';

/** Wait of the server before it starts the second try of an activity; see `src/workflows/activities.ts`. */
const RETRY_MS = 500;

test('a worker is taken for dead only when several heartbeats in a row are missing', () => {
  expect(HEARTBEAT.timeoutMs).toBeGreaterThanOrEqual(4 * HEARTBEAT.everyMs);
  expect(HEARTBEAT.jobTimeoutMs).toBeGreaterThanOrEqual(HEARTBEAT.timeoutMs);
});

test('the work of a worker that is killed continues within five seconds', () => {
  expect(HEARTBEAT.timeoutMs + RETRY_MS).toBeLessThan(5_000);
  expect(STICKY_TIMEOUT_MS).toBeLessThan(5_000);
});
