import { Group, Paper, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { TaskRow } from '../../client/client.ts';
import { useStale } from '../api/connection.ts';
import { Arrow } from '../ui/arrow.tsx';
import { duration, rate } from '../ui/format.ts';
import { PageLink } from '../ui/links.tsx';
import { ProgressBar } from '../ui/progress.tsx';
import { Sentence } from '../ui/sentence.tsx';
import { Status, shownStatus } from '../ui/status.tsx';
import { reindexesQuery } from './queries.ts';

/** The reindexes that have not ended, one card each. */
export function Running() {
  const { data } = useQuery(reindexesQuery);
  if (!data || data.tasks.length === 0) return null;
  return (
    <SimpleGrid
      cols={{ base: 1, md: Math.min(2, data.tasks.length) }}
      spacing="md"
      aria-label="Running reindexes"
      role="group"
    >
      {data.tasks.map((task) => (
        <ReindexCard key={task.id} task={task} />
      ))}
    </SimpleGrid>
  );
}

function ReindexCard({ task }: { task: TaskRow }) {
  const { id, status, ended, detail = '', progress, data = {}, updateTime = '' } = task;
  const stale = useStale();
  const { source, dest, phase } = data;
  const isMoving = status === 'processing' && !stale && progress !== undefined;
  return (
    <Paper withBorder p="md" component="article" data-task={id} style={{ minWidth: 0 }}>
      <Stack gap="xs">
        <Group justify="space-between" gap="xs" wrap="nowrap">
          <PageLink to="/tasks/$taskId" params={{ taskId: id }} fw={600} className="wrap">
            {typeof source === 'string' && typeof dest === 'string' ? (
              <>
                {source} <Arrow /> {dest}
              </>
            ) : (
              id
            )}
          </PageLink>
          <Status status={shownStatus(status, ended)} />
        </Group>
        {detail !== '' && (
          <Text fz="sm" className="excerpt">
            <Sentence text={detail} at={updateTime} />
          </Text>
        )}
        {progress && <ProgressBar progress={progress} label={`Progress of ${id}`} />}
        <Group gap="lg" fz="xs" c="dimmed">
          {typeof phase === 'string' && <span>phase: {phase}</span>}
          {isMoving && progress.perSecond > 0 && <span>{rate(progress.perSecond)}</span>}
          {isMoving && progress.etaSeconds !== null && progress.done < progress.total && (
            <span>{duration(progress.etaSeconds)} left at this pace</span>
          )}
        </Group>
      </Stack>
    </Paper>
  );
}
