import { ReembedError } from '../contract/errors.ts';
import { nameSchema } from '../contract/indexes.ts';
import type { Db } from '../store/database.ts';
import { requireActive, resolveIndex } from '../store/indexes.ts';
import type { IndexRow } from '../store/schema.ts';

/** Path parameter that `onIndex` resolves. */
export const INDEX_OR_ALIAS = nameSchema.meta({ description: 'Name of an index or an alias.', examples: ['docs'] });

const TRIES = 5;

/**
 * Reads from the index behind a name or an alias. The name is resolved once, so `work` reads from one index even if the
 * alias is switched at the same time. If that index is dropped while it reads, the name is resolved again: a reader by
 * alias never notices that the old index is retired. Errors: `IndexNotFound`, `IndexDeleting`.
 */
export async function onIndex<T>(db: Db, nameOrAlias: string, work: (index: IndexRow) => Promise<T>): Promise<T> {
  return onResolved(
    async () => ({ index: await resolveIndex(db, nameOrAlias) }),
    ({ index }) => work(index),
  );
}

/** Does the same with what else `resolve` finds out about the name. */
export async function onResolved<R extends { index: IndexRow }, T>(
  resolve: () => Promise<R>,
  work: (resolved: R) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const resolved = await resolve();
    requireActive(resolved.index);
    try {
      return await work(resolved);
    } catch (error) {
      if (!isGone(error) || attempt === TRIES) throw error;
    }
  }
}

/** Whether an error says that the index was dropped. */
export function isGone(error: unknown): boolean {
  return error instanceof ReembedError && error.type === 'IndexNotFound';
}
