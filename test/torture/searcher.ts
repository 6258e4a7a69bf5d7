import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_KINDS } from '../../src/contract/errors.ts';
import { tryTo } from './accept.ts';
import { ALIAS, type ClientContext } from './clients.ts';
import type { Random } from './random.ts';

/** Refusals that a provider which misbehaves explains. */
const EXPECTED = [...Object.keys(ERROR_KINDS).filter((type) => type.startsWith('Model')), 'SearchTimeout'];
const WORDS = ['lion', 'probe', 'note', 'change', 'first', 'second', 'garden', 'river'];

/** One user who searches by the alias, sometimes asking for the new index of a reindex. Returns how many were answered. */
export async function runSearcher({ api, log, signal }: ClientContext, random: Random): Promise<number> {
  let answered = 0;
  while (!signal.aborted) {
    const text = [random.pick(WORDS), random.pick(WORDS)].join(' ');
    const canary = random.pick([undefined, 'new', 'old', `user-${random.below(20)}`]);
    const found = await tryTo(log, 'search', () => api.search(ALIAS, { text, limit: 5 }, { canary }), EXPECTED);
    if (found) answered++;
    await sleep(random.between(100, 400));
  }
  return answered;
}
