import { Group, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { approvalOf } from '../../contract/approval.ts';
import { EVALUATION_METRICS, type Evaluation, METRIC_NAMES } from '../../contract/evaluation.ts';
import { intervalText, scoreText, signedText } from '../../contract/evaluation-texts.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { VerdictBadge } from '../evaluation/verdict.tsx';
import { Card } from '../ui/card.tsx';
import { LinkButton, TaskLink } from '../ui/links.tsx';
import { Problem } from '../ui/states.tsx';
import { isOpen } from '../ui/status.tsx';
import type { Pair } from './stage.ts';

export const comparisonKey = (dest: string) => ['comparison', dest];

/** The last comparison of both indexes: by the query set of the reindex, or by hand since. */
export function Comparison({ tracker, pair }: { tracker: Tracker; pair: Pair }) {
  const { data: page } = useQuery({
    queryKey: comparisonKey(pair.dest),
    queryFn: () =>
      reembed.tasks.page({ type: 'evaluate', index: pair.dest, createdAfter: tracker.createTime, limit: 1 }),
    refetchInterval: 3_000,
  });
  const byHand = page?.tasks[0];
  const own = approvalOf(tracker.data)?.evaluation;
  if (byHand && byHand.status !== 'done') return <Unfinished task={byHand} />;
  const taskId = byHand?.id ?? (own?.verdict ? tracker.id : undefined);
  if (taskId === undefined) return null;
  return <Report key={taskId} taskId={taskId} pair={pair} why={byHand ? null : (own?.why ?? null)} />;
}

function Unfinished({ task }: { task: Pick<Tracker, 'id' | 'status'> & Partial<Tracker> }) {
  const { id, status, detail } = task;
  return (
    <Card title="Comparison">
      <Text fz="sm" className="wrap" role="status">
        {isOpen(status) ? 'Running: ' : `The comparison is ${status}: `}
        {detail || status}. <TaskLink id={id} />
      </Text>
    </Card>
  );
}

function Report({ taskId, pair, why }: { taskId: string; pair: Pair; why: string | null }) {
  const reason = useAccess().reasonNot('operate');
  const { data: report, error } = useQuery({
    queryKey: ['evaluation', taskId],
    queryFn: () => reembed.tasks.evaluation(taskId),
    enabled: reason === null,
    retry: false,
  });
  if (reason !== null) return null;
  if (error) return <Problem error={error} title="The report of the comparison cannot be read" />;
  if (!report || report.left.index !== pair.source || report.right.index !== pair.dest) return null;
  return (
    <Card
      title="Comparison"
      actions={
        <LinkButton variant="default" to="/tasks/$taskId/evaluation" params={{ taskId }}>
          Open the report
        </LinkButton>
      }
    >
      <Stack gap="sm">
        <Group gap="sm" fz="sm" data-testid="comparison">
          <VerdictBadge verdict={report.verdict} />
          <Text fz="sm" className="wrap">
            by the query set <span className="id">{report.querySet}</span>: {why ?? report.reasons[0]?.text}
          </Text>
        </Group>
        <BothScores report={report} />
      </Stack>
    </Card>
  );
}

/** The scores of both sides; how similar their results are if nothing was judged. */
function BothScores({ report: { left, right, differences, agreement } }: { report: Evaluation }) {
  if (!left.scores || !right.scores || !differences) {
    return <Text fz="sm">No query is judged. Both return the same {scoreText(agreement.overlap)} of the results.</Text>;
  }
  return (
    <Table layout="fixed" aria-label="Scores of both indexes" horizontalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="22%">Measure</Table.Th>
          <Table.Th ta="right" className="wrap">
            {left.index}
          </Table.Th>
          <Table.Th ta="right" className="wrap">
            {right.index}
          </Table.Th>
          <Table.Th ta="right" w="32%">
            Difference
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {EVALUATION_METRICS.map((metric) => (
          <Table.Tr key={metric}>
            <Table.Th scope="row" fz="sm">
              {METRIC_NAMES[metric]}
            </Table.Th>
            <Table.Td ta="right">{scoreText(left.scores?.[metric] ?? 0)}</Table.Td>
            <Table.Td ta="right">{scoreText(right.scores?.[metric] ?? 0)}</Table.Td>
            <Table.Td ta="right">
              {signedText(differences[metric].mean)}
              <Text fz="xs" c="dimmed">
                {intervalText(differences[metric])}
              </Text>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
