import type { Loader } from '../../src/pipeline/load.ts';
import { prepareObjects } from '../../src/pipeline/prepare.ts';
import type { PrepareOptions } from '../../src/pipeline/prepare-options.ts';
import type { Prepared } from '../../src/pipeline/prepared.ts';
import { fakeEmbedder, indexConfig } from './support.ts';

const inline: Loader = async ({ payload }) => payload ?? '';

/** Prepares items with a model of the tests and texts from the items themselves, unless options say otherwise. */
export function portionsOf(items: Parameters<typeof prepareObjects>[0], options: Partial<PrepareOptions> = {}) {
  return prepareObjects(items, {
    config: indexConfig(),
    embedder: fakeEmbedder().embedder,
    loader: inline,
    sleep: async () => {},
    ...options,
  });
}

/** All portions as one. */
export async function prepared(items: Parameters<typeof prepareObjects>[0], options: Partial<PrepareOptions> = {}) {
  const all: Pick<Prepared, 'ready' | 'failed'> = { ready: [], failed: [] };
  for await (const { ready, failed } of portionsOf(items, options)) {
    all.ready.push(...ready);
    all.failed.push(...failed);
  }
  return all;
}
