import { Worker } from 'node:worker_threads';

/** Answer times of an address, in milliseconds. */
export interface Latency {
  count: number;
  /** Number of missing answers and of answers other than 200. */
  failed: number;
  p50: number;
  p99: number;
  max: number;
  /** Delay of the prober's own timers, which the machine adds to each figure above. */
  lateP99: number;
  lateMax: number;
}

const EVERY_MS = 50;

/** Plain JavaScript for a separate thread. */
const CODE = `
const http = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const times = [];
const late = [];
let failed = 0;
let open = true;
function ask() {
  const began = performance.now();
  const done = (ok) => {
    times.push(performance.now() - began);
    if (!ok) failed += 1;
    const due = performance.now() + workerData.everyMs;
    if (open) setTimeout(() => { late.push(Math.max(0, performance.now() - due)); ask(); }, workerData.everyMs);
  };
  const request = http.get(workerData.url, { agent, timeout: 10_000 }, (answer) => {
    answer.resume();
    answer.on('end', () => done(answer.statusCode === 200));
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', () => done(false));
}
ask();
parentPort.on('message', () => {
  open = false;
  const at = (values, share) => {
    values.sort((left, right) => left - right);
    return Math.round(values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0);
  };
  const lateness = { lateP99: at(late, 0.99), lateMax: at(late, 1) };
  parentPort.postMessage({ count: times.length, failed, p50: at(times, 0.5), p99: at(times, 0.99), max: at(times, 1), ...lateness });
});
`;

/** Requests an address repeatedly; the returned function stops that and returns the answer times. */
export function probe(url: string): () => Promise<Latency> {
  const thread = new Worker(CODE, { eval: true, workerData: { url, everyMs: EVERY_MS } });
  return async () => {
    const measured = new Promise<Latency>((resolve, reject) => thread.once('message', resolve).once('error', reject));
    thread.postMessage('end');
    const latency = await measured;
    await thread.terminate();
    return latency;
  };
}
