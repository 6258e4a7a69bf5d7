import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { reembed } from '../api/client.ts';
import { useLostSince } from '../api/connection.ts';
import { absolute } from '../ui/format.ts';

/** Shown on top of every page while the API does not answer. Polls the API itself, since not every page does. */
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
      Trying again. The page shows the state at {absolute(lostSince)}.
    </Alert>
  );
}
