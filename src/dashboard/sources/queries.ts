import { queryOptions } from '@tanstack/react-query';
import { type SourceInfo, type SourceState, tableOf } from '../../contract/sources.ts';
import { PARTIAL, reembed } from '../api/client.ts';

export const sourcesQuery = queryOptions({
  queryKey: ['sources'],
  queryFn: () => reembed.sources.list(PARTIAL),
  refetchInterval: 3_000,
});

export const sourceQuery = (name: string) =>
  queryOptions({
    queryKey: ['sources', name],
    queryFn: () => reembed.sources.get(name),
    refetchInterval: 3_000,
    retry: false,
  });

/** Returns the table of a source as `schema.table`. */
export function tableText({ definition }: Pick<SourceInfo, 'definition'>): string {
  const { schema, name } = tableOf(definition);
  return `${schema}.${name}`;
}

/** Colors of the states; always shown with the name. */
export const STATE_COLORS: Record<SourceState, string> = {
  starting: 'blue-6',
  following: 'teal-7',
  waiting: 'yellow-6',
  stopped: 'gray-6',
};
