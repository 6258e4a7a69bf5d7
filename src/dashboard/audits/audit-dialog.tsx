import { Autocomplete, Checkbox, NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditRequest } from '../../contract/audit.ts';
import { auditSchema } from '../../contract/audit.ts';
import { reembed } from '../api/client.ts';
import { aliasesQuery, indexesQuery } from '../api/queries.ts';
import { useChecked } from '../indexes/form.ts';
import { useAct } from '../ui/act.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { useOpenTask } from '../ui/open-task.ts';
import { Problem } from '../ui/states.tsx';

interface AuditDialogProps {
  /** What is filled in. */
  given?: Pick<AuditRequest, 'index' | 'repair'>;
  onClose: () => void;
}

/** Starts an audit of an index, or of a range of its ids. */
export function AuditDialog({ given, onClose }: AuditDialogProps) {
  const openTask = useOpenTask();
  const indexes = useQuery(indexesQuery).data ?? [];
  const aliases = useQuery(aliasesQuery).data ?? [];
  const [index, setIndex] = useState(given?.index ?? '');
  const [after, setAfter] = useState('');
  const [until, setUntil] = useState('');
  const [perSecond, setPerSecond] = useState<number | string>('');
  const [repair, setRepair] = useState(given?.repair ?? false);
  const { check, refuse, errorOf } = useChecked(auditSchema);
  const start = useAct((body: AuditRequest) => reembed.tasks.audit(body), {
    quiet: true,
    changes: [['counts'], ['recent']],
    onDone: (task) => {
      onClose();
      openTask(task);
    },
  });
  const submit = () => {
    const range = { ...(after !== '' && { after }), ...(until !== '' && { until }) };
    const body = { index, repair, ...range, ...(perSecond !== '' && { ratePerSecond: Number(perSecond) }) };
    if (check(body)) start.mutate(body, { onError: refuse });
  };
  return (
    <FormDialog
      title="Audit an index"
      submit={repair ? 'Audit and repair' : 'Start the audit'}
      loading={start.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <Autocomplete
        size="xs"
        label="Index"
        description="An alias is resolved when the audit begins."
        data={[...new Set([...aliases.map(({ alias }) => alias), ...indexes.map(({ name }) => name)])]}
        value={index}
        onChange={setIndex}
        error={errorOf('index')}
        data-autofocus
      />
      <Checkbox
        label="Repair what is broken"
        description="Embeds broken objects again, and deletes parts without an object. Calls the model."
        checked={repair}
        onChange={(event) => setRepair(event.currentTarget.checked)}
      />
      <SimpleGrid cols={2} spacing="sm">
        <TextInput
          label="After the id"
          description="Optional."
          value={after}
          onChange={(event) => setAfter(event.currentTarget.value)}
          error={errorOf('after')}
          spellCheck={false}
          dir="auto"
        />
        <TextInput
          label="Up to the id"
          description="Optional."
          value={until}
          onChange={(event) => setUntil(event.currentTarget.value)}
          error={errorOf('until')}
          spellCheck={false}
          dir="auto"
        />
      </SimpleGrid>
      <NumberInput
        label="Objects per second"
        description="Optional; an audit yields to live work in any case."
        min={0.001}
        max={1_000_000}
        value={perSecond}
        onChange={setPerSecond}
        error={errorOf('ratePerSecond')}
      />
      {start.error && <Problem error={start.error} title="The audit was not started" />}
    </FormDialog>
  );
}
