import { NumberInput, SimpleGrid, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { EvaluateRequest } from '../../client/client.ts';
import { evaluateSchema } from '../../contract/task-bodies.ts';
import { reembed } from '../api/client.ts';
import { useChecked } from '../indexes/form.ts';
import { IndexField } from '../indexes/index-field.tsx';
import { Choice } from '../ui/choice.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { plural } from '../ui/format.ts';
import { useStartTask } from '../ui/start-task.ts';
import { Problem } from '../ui/states.tsx';

interface EvaluateDialogProps {
  sets: readonly { name: string; queries: number }[];
  /** The set that is chosen at first. */
  querySet?: string;
  onClose: () => void;
}

/** Runs a query set on two indexes and compares what they find. */
export function EvaluateDialog({ sets, querySet: first, onClose }: EvaluateDialogProps) {
  const [querySet, setQuerySet] = useState(first ?? sets[0]?.name ?? '');
  const [left, setLeft] = useState('');
  const [right, setRight] = useState('');
  const [k, setK] = useState<number | string>(10);
  const [breakdown, setBreakdown] = useState('');
  const { form, check, refuse, errorOf } = useChecked(evaluateSchema);
  const start = useStartTask((body: EvaluateRequest) => reembed.tasks.evaluate(body), onClose);
  const submit = () => {
    const body = {
      left,
      right,
      querySet,
      k: Number(k),
      ...(breakdown.trim() !== '' && { breakdown: breakdown.trim() }),
    };
    if (check(body)) start.mutate(body, { onError: refuse });
  };
  return (
    <FormDialog
      title="Compare two indexes"
      submit="Compare"
      loading={start.isPending}
      onSubmit={submit}
      onClose={onClose}
      form={form}
    >
      <Text fz="sm">
        Runs the queries of a set on both indexes, and says whether the second may replace the first. Nothing is
        switched.
      </Text>
      <Choice
        label="Query set"
        options={sets.map(({ name, queries }) => ({
          value: name,
          label: `${name} (${plural(queries, 'query', 'queries')})`,
        }))}
        value={querySet}
        onChange={setQuerySet}
        error={errorOf('querySet')}
        autoFocus
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <IndexField label="Serves now" value={left} onChange={setLeft} error={errorOf('left')} />
        <IndexField label="May replace it" value={right} onChange={setRight} error={errorOf('right')} />
        <NumberInput
          label="Places that count"
          description="Of each result, such as the first 10"
          allowDecimal={false}
          value={k}
          onChange={setK}
          error={errorOf('k')}
        />
        <TextInput
          label="Break down by"
          description="A metadata field of the queries, such as lang. Optional."
          value={breakdown}
          onChange={(event) => setBreakdown(event.currentTarget.value)}
          error={errorOf('breakdown')}
          spellCheck={false}
        />
      </SimpleGrid>
      {start.error && <Problem error={start.error} title="Nothing was compared" />}
    </FormDialog>
  );
}
