import { ReembedError } from '../contract/errors.ts';

export interface ListOptions {
  /** Called with the databases that do not answer; the list is then without what they hold. Default: an error. */
  onUnavailable?: (databases: string[]) => void;
}

/** Returns a list over all databases. Error: `DatabaseUnavailable` if some do not answer, unless `onUnavailable` is given. */
export function wholeList<T>(list: T[], unavailable: string[] | undefined, { onUnavailable }: ListOptions): T[] {
  if (!unavailable || unavailable.length === 0) return list;
  if (onUnavailable) onUnavailable(unavailable);
  else throw new ReembedError('DatabaseUnavailable', `no answer from the database ${unavailable.join(', ')}`);
  return list;
}
