import { queryOptions } from '@tanstack/react-query';
import { reembed } from '../api/client.ts';

/** Asked for every few seconds, so that a change of another client is seen before it is overwritten. */
export const objectQuery = (index: string, id: string) =>
  queryOptions({
    queryKey: ['object', index, id],
    queryFn: () => reembed.objects.get(index, id),
    refetchInterval: 5_000,
    retry: false,
  });

export const historyQuery = (index: string, id: string) =>
  queryOptions({
    queryKey: ['object-history', index, id],
    queryFn: () => reembed.objects.history(index, id),
    refetchInterval: 5_000,
    retry: false,
  });

/** What a write of an object changes. */
export const changedBy = (index: string, id: string) => [
  ['object', index, id],
  ['object-history', index, id],
  ['objects', index],
  ['indexes'],
  ['counts'],
];
