import { Alert } from '@mantine/core';
import { absolute } from '../ui/format.ts';

/** Shown on top of every page while the API does not answer. */
export function ConnectionBanner({ lostSince }: { lostSince: Date }) {
  return (
    <Alert color="yellow" variant="outline" role="alert" title="The API does not answer" mb="md">
      Trying again. The page shows the state at {absolute(lostSince)}. If it stays so, start the API: reembed api, or
      reembed dev.
    </Alert>
  );
}
