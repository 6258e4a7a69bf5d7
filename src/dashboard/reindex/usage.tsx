import { Alert, Group, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { amountText, BUDGET_UNITS, type BudgetUnit, forecastOf, type Usage, usedText } from '../../contract/budget.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { BudgetDialog } from './budget-dialog.tsx';
import { isOverBudget } from './stage.ts';

const UNIT_NAMES: Record<BudgetUnit, string> = { usd: 'Cost', tokens: 'Tokens', calls: 'Calls' };

interface UsageProps {
  tracker: Tracker;
  ended: boolean;
}

/** What a reindex has used of its model, its budget, and what it will have used at the end of the copy. */
export function UsageCard({ tracker, ended }: UsageProps) {
  const [isOpen, dialog] = useDisclosure();
  const usage = tracker.data.usage as Usage | undefined;
  const over = isOverBudget(tracker);
  if (!usage) return null;
  return (
    <Card
      title="Use of the model"
      actions={
        !ended && (
          <ActionButton variant={over ? 'filled' : 'default'} onClick={dialog.open}>
            {Object.keys(usage.budget).length > 0 || over ? 'Raise the budget…' : 'Set a budget…'}
          </ActionButton>
        )
      }
    >
      {over && (
        <Alert color="orange" variant="outline" mb="sm" title="The budget is used up" className="wrap">
          The copy has paused, and makes no more calls. Writes and searches continue on the old index. Raise the budget
          to continue, or cancel the reindex.
        </Alert>
      )}
      <UsageTable usage={usage} progress={tracker.progress} />
      {usage.estimatedTokens > 0 && (
        <Text fz="xs" c="dimmed" mt="xs">
          {usedText(usage.estimatedTokens, undefined, 'tokens')} of them are estimated: the provider does not count
          them.
        </Text>
      )}
      {usage.truncated !== undefined && (
        <Text fz="xs" c="dimmed" mt="xs">
          The model did not read all of {usage.truncated} texts, which were split again: its window is smaller than the
          parts.
        </Text>
      )}
      {isOpen && <BudgetDialog tracker={tracker} usage={usage} resumes={over} onClose={dialog.close} />}
    </Card>
  );
}

function UsageTable({ usage, progress }: { usage: Usage; progress: Tracker['progress'] }) {
  const { budget } = usage;
  return (
    <Table layout="fixed" aria-label="Use of the model" horizontalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w="22%">Unit</Table.Th>
          <Table.Th ta="right">Used</Table.Th>
          <Table.Th ta="right">Limit</Table.Th>
          <Table.Th ta="right">After the copy</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {BUDGET_UNITS.map((unit) => {
          const used = usage[unit];
          const limit = budget[unit];
          const forecast = forecastOf(used, progress);
          const isShort = limit !== undefined && forecast !== null && forecast > limit;
          return (
            <Table.Tr key={unit}>
              <Table.Th scope="row" fz="sm">
                {UNIT_NAMES[unit]}
              </Table.Th>
              <Table.Td ta="right">{used === null ? 'unknown price' : amountText(used, unit)}</Table.Td>
              <Table.Td ta="right">{limit === undefined ? 'none' : amountText(limit, unit)}</Table.Td>
              <Table.Td ta="right">
                <Group gap={4} justify="flex-end" wrap="wrap">
                  <span>
                    {forecast === null
                      ? 'unknown'
                      : `about ${amountText(unit === 'usd' ? forecast : Math.round(forecast), unit)}`}
                  </span>
                  {isShort && (
                    <Text component="span" fz="xs" c="var(--mantine-color-error)" fw={500}>
                      above the limit
                    </Text>
                  )}
                </Group>
              </Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}
