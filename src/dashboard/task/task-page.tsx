import { Alert, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ReembedError } from '../../client/client.ts';
import { namesOf, titleOf } from '../../contract/task-title.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { useStale } from '../api/connection.ts';
import { type Live, useLive } from '../api/live.ts';
import { indexesQuery, serverQuery } from '../api/queries.ts';
import { Findings } from '../audits/findings.tsx';
import { JobParts } from '../jobs/job-parts.tsx';
import { Reads } from '../reindex/reads.tsx';
import { ReindexParts } from '../reindex/reindex-parts.tsx';
import { Watch } from '../reindex/watch.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { Copy } from '../ui/copy.tsx';
import { duration, rate } from '../ui/format.ts';
import { LinkButton, PageLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { Outward } from '../ui/outward.tsx';
import { ProgressBar } from '../ui/progress.tsx';
import { Sentence } from '../ui/sentence.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { isOpen, Status, shownStatus } from '../ui/status.tsx';
import { Attempts } from './attempts.tsx';
import { Children } from './children.tsx';
import { ownDetail } from './detail.ts';
import { EvaluationVerdict } from './evaluation.tsx';
import { Facts } from './facts.tsx';
import { FailedItems } from './failed-items.tsx';
import { Failure, failureOf } from './failure.tsx';
import { useNamed } from './names.ts';
import { Standstill } from './standstill.tsx';
import { SteeringLog } from './steering-log.tsx';
import { TaskActions } from './task-actions.tsx';

const route = getRouteApi('/tasks/$taskId');

/** The live page of one task. */
export function TaskPage() {
  const { taskId } = route.useParams();
  return <OneTask key={taskId} taskId={taskId} />;
}

function OneTask({ taskId }: { taskId: string }) {
  // An ended task may be restarted: a new `look` number reopens the stream.
  const { data: look = 0 } = useQuery<number>({
    queryKey: ['look', taskId],
    queryFn: () => 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const live = useLive(['task', taskId, look], (options) => reembed.tasks.events(taskId, options));
  const tracker = live.data;
  if (!tracker) {
    const { error } = live;
    if (error instanceof ReembedError && error.type === 'TaskNotFound') {
      return (
        <Empty title="There is no such task">
          <span className="id">{taskId}</span> never existed, or Temporal has deleted it after its retention period.
        </Empty>
      );
    }
    return error ? <Problem error={error} title="The task cannot be read" /> : <Loading rows={10} />;
  }
  return <FoundTask given={tracker} live={live} />;
}

function FoundTask({ given, live }: { given: Tracker; live: Live<Tracker> }) {
  const tracker = useNamed(given);
  return (
    <>
      <PageHead
        title={titleOf(tracker)}
        actions={
          <>
            <TaskActions tracker={tracker} ended={live.ended} />
            <SearchWritten tracker={tracker} />
          </>
        }
      />
      <Stack gap="md">
        <Overview tracker={tracker} live={live} />
        {tracker.type === 'reindex' && <ReindexParts tracker={tracker} ended={live.ended} />}
        {tracker.type === 'evaluate' && <EvaluationVerdict tracker={tracker} />}
        {tracker.type === 'job' && <JobParts tracker={tracker} />}
        {tracker.type === 'audit' && <Findings tracker={tracker} ended={live.ended} />}
        {tracker.type === 'delete-index' && <Watch tracker={tracker} />}
        {tracker.type === 'delete-index' && <Reads tracker={tracker} />}
        <Facts tracker={tracker} ended={live.ended} />
        {tracker.errors.length > 0 && <Attempts tracker={tracker} ended={live.ended} />}
        <FailedItems tracker={tracker} />
        {(tracker.type === 'reindex' || Object.keys(tracker.children).length > 0) && <Children tracker={tracker} />}
        {tracker.steering.length > 0 && <SteeringLog tracker={tracker} />}
      </Stack>
    </>
  );
}

/** The next step after a write. */
function SearchWritten({ tracker }: { tracker: Tracker }) {
  const [index] = namesOf(tracker);
  if (tracker.type !== 'upsert' || tracker.status !== 'done' || index === undefined) return null;
  return (
    <LinkButton to="/search" search={{ left: index }}>
      Search {index}
    </LinkButton>
  );
}

/** Whether another index serves since a reindex ended, so that its last sentence is no longer true: it was rolled back. */
function useIsPast({ type, status, data: { alias, dest } }: Tracker): boolean {
  const { data: indexes } = useQuery({ ...indexesQuery, enabled: type === 'reindex' });
  if (type !== 'reindex' || status !== 'done' || typeof alias !== 'string' || !indexes) return false;
  return indexes.find(({ name }) => name === dest)?.aliases.includes(alias) !== true;
}

function Overview({ tracker, live }: { tracker: Tracker; live: Live<Tracker> }) {
  const { status, progress, type } = tracker;
  const isPast = useIsPast(tracker);
  const detail = isPast ? '' : live.ended ? tracker.detail : ownDetail(tracker);
  const stale = useStale();
  const lost = stale || !live.connected;
  const going = status === 'processing' && !live.ended && !lost && !tracker.unanswered;
  return (
    <Card>
      <Stack gap="sm">
        <Group gap="lg" justify="space-between">
          <Group gap="md" fz="md">
            <span data-testid="status">
              <Status status={shownStatus(status, live.ended)} still={lost || tracker.unanswered} progress={progress} />
            </span>
            <Text fz="sm" c="dimmed">
              {type}
            </Text>
            <Text fz="sm" className="id" component="span">
              {tracker.id}
            </Text>
            <Copy text={tracker.id} what="the id" />
          </Group>
          <TemporalLink tracker={tracker} />
        </Group>
        <Failure tracker={tracker} ended={live.ended} />
        {detail && failureOf(tracker) === null && (
          <Text fz="sm" className="wrap" aria-live="polite">
            <Sentence text={detail} at={tracker.updateTime} />
          </Text>
        )}
        <ProgressBar progress={progress} label="Progress" size="lg" />
        {going && progress.total > 0 && (
          <Group gap="lg" fz="xs" c="dimmed">
            {progress.perSecond > 0 && <span>{rate(progress.perSecond)}</span>}
            {progress.etaSeconds !== null && progress.done < progress.total && (
              <span>{duration(progress.etaSeconds)} left</span>
            )}
          </Group>
        )}
        <Standstill tracker={tracker} ended={live.ended} />
        {lost && isOpen(status) && (
          <Alert color="yellow" variant="outline" role="status">
            This is the last known state of the task, from <Moment at={tracker.updateTime} />. Its rate and time left
            are unknown.
          </Alert>
        )}
      </Stack>
    </Card>
  );
}

function TemporalLink({ tracker: { links, parentId } }: { tracker: Tracker }) {
  const { data } = useQuery(serverQuery);
  const { uiUrl, namespace } = data?.temporal ?? { uiUrl: null, namespace: '' };
  const path = ['namespaces', namespace, 'workflows', links.workflowId, links.runId, 'history'];
  return (
    <Group gap="lg" fz="sm">
      {parentId !== null && (
        <PageLink to="/tasks/$taskId" params={{ taskId: parentId }} fz="inherit">
          Parent
        </PageLink>
      )}
      {uiUrl && (
        <Outward href={`${uiUrl.replace(/(?<!\/)\/+$/, '')}/${path.map(encodeURIComponent).join('/')}`}>
          Open in Temporal
        </Outward>
      )}
    </Group>
  );
}
