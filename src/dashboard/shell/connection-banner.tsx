import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { reembed } from '../api/client.ts';
import { useLostSince } from '../api/connection.ts';
import { absolute } from '../ui/format.ts';

/** On top of every page while the API does not answer. It asks the API itself: not every page does. */
export function ConnectionBanner() {
  const lostSince = useLostSince();
  useQuery({
    queryKey: ['connection'],
    queryFn: () => reembed.me(),
    enabled: lostSince !== null,
    refetchInterval: 2_000,
    retry: false,
    gcTime: 0,
  });
  if (lostSince === null) return null;
  return (
    <Alert color="yellow" variant="outline" role="alert" title="The API does not answer" mb="md">
      Trying again. The page shows how things were at {absolute(lostSince)}.
    </Alert>
  );
}
