import { ReembedError } from '../contract/errors.ts';
import { nameSchema } from '../contract/indexes.ts';
import type { Db } from '../store/database.ts';
import { resolveIndex } from '../store/indexes.ts';
import type { IndexRow } from '../store/schema.ts';

/** The parameter of a path that `onIndex` resolves. */
export const INDEX_OR_ALIAS = nameSchema.meta({ description: 'Name of an index or an alias.', examples: ['docs'] });

const TRIES = 5;

/**
 * Reads from the index that a name or an alias means. The name is resolved once, so all that `work` reads is of one
 * index, also when the alias is switched meanwhile; if that index is then dropped under it, the name is resolved
 * anew: a reader by alias never notices that the old index is retired. Errors: `IndexNotFound`, `IndexDeleting`.
 */
export async function onIndex<T>(db: Db, nameOrAlias: string, work: (index: IndexRow) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const index = await resolveIndex(db, nameOrAlias);
    if (index.state === 'deleting') throw new ReembedError('IndexDeleting', `the index ${index.name} is being deleted`);
    try {
      return await work(index);
    } catch (error) {
      if (!isGone(error) || attempt === TRIES) throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ReembedError && error.type === 'IndexNotFound';
}
