import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ReembedError } from '../../client/client.ts';
import type { Evaluation } from '../../contract/evaluation.ts';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { Card, PageHead } from '../ui/card.tsx';
import { LinkButton } from '../ui/links.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { Changed } from './changed.tsx';
import { Breakdown, Scores } from './scores.tsx';
import { Sides } from './sides.tsx';
import { Verdict } from './verdict.tsx';

const route = getRouteApi('/tasks/$taskId/evaluation');

/** The report of the last evaluation of a task. */
export function EvaluationPage() {
  const { taskId } = route.useParams();
  const reason = useAccess().reasonNot('operate');
  const { data, error, refetch } = useQuery({
    queryKey: ['evaluation', taskId],
    queryFn: () => reembed.tasks.evaluation(taskId),
    enabled: reason === null,
    retry: false,
  });
  return (
    <>
      <PageHead
        title={`Evaluation of ${taskId}`}
        actions={
          <LinkButton variant="default" to="/tasks/$taskId" params={{ taskId }}>
            Back to the task
          </LinkButton>
        }
      />
      {reason !== null ? (
        <Nothing title="Not shown to this token">{reason}</Nothing>
      ) : data ? (
        <Report report={data} />
      ) : error instanceof ReembedError && error.type === 'EvaluationNotFound' ? (
        <Nothing title="There is no report">
          The task has no evaluation, or it has not ended: the report is there when all queries have run.
        </Nothing>
      ) : error ? (
        <Problem error={error} retry={() => void refetch()} title="The report cannot be read" />
      ) : (
        <Loading rows={10} />
      )}
    </>
  );
}

function Nothing({ title, children }: { title: string; children: string }) {
  return (
    <Card>
      <Empty title={title}>{children}</Empty>
    </Card>
  );
}

function Report({ report }: { report: Evaluation }) {
  return (
    <Stack gap="md">
      <Verdict report={report} />
      <Scores report={report} />
      <Sides report={report} />
      <Breakdown report={report} />
      <Changed report={report} />
    </Stack>
  );
}
