import { Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { amountText, BUDGET_UNITS, type Budget, type BudgetUnit, type Usage } from '../../contract/budget.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { useTaskAct } from '../task/steer.ts';

interface BudgetDialogProps {
  tracker: Tracker;
  usage: Usage;
  /** Whether the reindex has paused because its budget is used up. */
  resumes: boolean;
  onClose: () => void;
}

type Draft = Record<BudgetUnit, number | string>;
type Change = Partial<Record<BudgetUnit, number | null>>;

const LABELS: Record<BudgetUnit, string> = { usd: 'US dollars', tokens: 'Tokens', calls: 'Calls' };

/** Returns the limits that differ from those in force; null removes one. */
function changesOf(draft: Draft, budget: Budget): Change {
  const changed = BUDGET_UNITS.filter((unit) => draft[unit] !== (budget[unit] ?? ''));
  return Object.fromEntries(changed.map((unit) => [unit, draft[unit] === '' ? null : Number(draft[unit])]));
}

/** Sets the limits of a reindex, and resumes it if it has paused because of them. */
export function BudgetDialog({ tracker: { id }, usage, resumes, onClose }: BudgetDialogProps) {
  const { budget } = usage;
  const [draft, setDraft] = useState<Draft>(() => ({
    usd: budget.usd ?? '',
    tokens: budget.tokens ?? '',
    calls: budget.calls ?? '',
  }));
  const done = resumes ? 'The budget is set, and the copy continues' : 'The budget is set';
  const act = useTaskAct<Change>(id, (limits) => reembed.tasks.budget(id, limits), done);
  const change = changesOf(draft, budget);
  const problemOf = (unit: BudgetUnit) => {
    const limit = draft[unit];
    if (limit === '' || Number(limit) > (usage[unit] ?? 0)) return undefined;
    return `Enter more than ${amountText(usage[unit] ?? 0, unit)}, which is used already.`;
  };
  const isBad = BUDGET_UNITS.some((unit) => problemOf(unit) !== undefined);
  const mayNot = isBad || Object.keys(change).length === 0;
  return (
    <Modal opened onClose={onClose} title={resumes ? 'Raise the budget and continue?' : 'Set the budget'}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!mayNot) act.mutate(change, { onSuccess: onClose });
        }}
      >
        <Stack gap="sm">
          <Text fz="sm">
            The limits count everything that this reindex uses of its model, live writes to the new index included. When
            one is reached, the copy pauses again. An empty field means no limit.
          </Text>
          {BUDGET_UNITS.map((unit) => (
            <NumberInput
              key={unit}
              label={LABELS[unit]}
              description={
                usage[unit] === null ? 'The price of the model is unknown.' : `Used: ${amountText(usage[unit], unit)}`
              }
              placeholder="no limit"
              disabled={usage[unit] === null}
              allowNegative={false}
              allowDecimal={unit === 'usd'}
              thousandSeparator=","
              value={draft[unit]}
              onChange={(value) => setDraft({ ...draft, [unit]: value })}
              error={problemOf(unit)}
            />
          ))}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={act.isPending} disabled={mayNot}>
              {resumes ? 'Raise and continue' : 'Set the budget'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
