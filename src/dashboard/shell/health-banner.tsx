import { Alert, Stack } from '@mantine/core';
import type { HealthProblem } from '../../contract/health.ts';

/** Shown on top of every page while a server or the workers do not answer: what is wrong, and what to do. */
export function HealthBanner({ problems }: { problems: readonly HealthProblem[] }) {
  if (problems.length === 0) return null;
  return (
    <Stack gap="xs" mb="md">
      {problems.map(({ part, title, means, advice }) => (
        <Alert key={part} color="yellow" variant="outline" role="alert" title={title} className="wrap">
          {means} {advice}
        </Alert>
      ))}
    </Stack>
  );
}
