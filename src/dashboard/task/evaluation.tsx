import { Group, Text } from '@mantine/core';
import { approvalOf } from '../../contract/approval.ts';
import type { Verdict } from '../../contract/evaluation.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { VerdictBadge } from '../evaluation/verdict.tsx';
import { Card } from '../ui/card.tsx';
import { LinkButton } from '../ui/links.tsx';

/** The verdict of a task's evaluation, with a link to the report; nothing until there is one. */
export function EvaluationVerdict({ tracker }: { tracker: Tracker }) {
  const { id, data } = tracker;
  const { verdict, why, querySet } =
    tracker.type === 'evaluate'
      ? { verdict: data.verdict as Verdict | undefined, why: null, querySet: data.querySet }
      : (approvalOf(data)?.evaluation ?? { verdict: null, why: null, querySet: null });
  if (!verdict) return null;
  return (
    <Card
      title="Evaluation"
      actions={
        <LinkButton variant="default" to="/tasks/$taskId/evaluation" params={{ taskId: id }}>
          Open the report
        </LinkButton>
      }
    >
      <Group gap="sm" fz="sm">
        <VerdictBadge verdict={verdict} />
        <Text fz="sm" className="wrap">
          by the query set <span className="id">{String(querySet)}</span>
          {why === null ? '' : `: ${why}`}
        </Text>
      </Group>
    </Card>
  );
}
