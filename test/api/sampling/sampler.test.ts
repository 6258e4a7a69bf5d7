import { expect, it } from 'vitest';
import { SearchSampler } from '../../../src/api/sampling/sampler.ts';
import { LIMITS } from '../../../src/contract/limits.ts';
import { searchSchema } from '../../../src/contract/objects.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { listeningLog, silentDatabase } from '../support.ts';

const SECRET = 'divorce lawyer near me';
const result = { index: 'docs-v1', hits: [], exact: true, complete: true };

/** A sampler without a database: nothing can be stored. */
function given({ draw = (): number => 0 } = {}) {
  const [log, metrics] = [listeningLog(), createMetrics(['api'])];
  const sampler = new SearchSampler({ db: silentDatabase(), metrics, log, draw });
  const outcomes = async () => {
    const { values } = await metrics.sampledSearches.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
  };
  const offer = (request: { text?: string; vector?: number[] }, share = 1) =>
    sampler.offer(share, { alias: 'docs', request: searchSchema.parse(request), result });
  return { sampler, log, offer, outcomes };
}

it('searches that cannot be stored are dropped and counted, and the log has no word of them', async () => {
  const { sampler, log, offer, outcomes } = given();
  offer({ text: SECRET });
  offer({ text: SECRET });
  await sampler.flush();
  expect(await outcomes()).toEqual({ failed: 2 });
  expect(log.lines).toMatchObject([{ searches: 2, code: 'ECONNREFUSED' }]);
  expect(JSON.stringify(log.lines)).not.toMatch(/lawyer/);
  await sampler.flush();
  expect(await outcomes()).toEqual({ failed: 2 });
});

it('only searches by text are kept, and only those that are drawn', async () => {
  const { sampler, offer, outcomes } = given({ draw: () => 0.5 });
  offer({ vector: [1, 2, 3] });
  offer({ text: SECRET }, 0);
  offer({ text: SECRET }, 0.5);
  await sampler.flush();
  expect(await outcomes()).toEqual({});
  offer({ text: SECRET }, 0.51);
  await sampler.flush();
  expect(await outcomes()).toEqual({ failed: 1 });
});

it.each([
  ['is too long for a query set', 'x'.repeat(LIMITS.queryChars + 1)],
  ['Postgres cannot store', 'a\0b'],
  ['is half of a character', 'a\ud800'],
])('a text that %s is skipped', async (_what, text) => {
  const { sampler, offer, outcomes } = given();
  offer({ text });
  await sampler.flush();
  expect(await outcomes()).toEqual({ skipped: 1 });
});

it('searches that wait are bounded in number and in size', async () => {
  const many = given();
  for (let at = 0; at < 600; at++) many.offer({ text: `text ${at}` });
  expect(await many.outcomes()).toEqual({ dropped: 100 });
  await many.sampler.flush();
  const large = given();
  for (let at = 0; at < 450; at++) large.offer({ text: 'x'.repeat(LIMITS.queryChars) });
  expect(await large.outcomes()).toEqual({ dropped: 450 - Math.floor((4 * 1024 * 1024) / LIMITS.queryChars) });
  await large.sampler.flush();
});
