import { Group, Text } from '@mantine/core';
import type { Verdict } from '../../contract/evaluation.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { VerdictBadge } from '../evaluation/verdict.tsx';
import { Card } from '../ui/card.tsx';
import { LinkButton } from '../ui/links.tsx';

/** The verdict of an evaluation, with a link to the report; nothing until there is one. */
export function EvaluationVerdict({ tracker: { id, data } }: { tracker: Tracker }) {
  const verdict = data.verdict as Verdict | undefined;
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
          by the query set <span className="id">{String(data.querySet)}</span>
        </Text>
      </Group>
    </Card>
  );
}
