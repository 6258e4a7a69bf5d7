import { Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ReembedError } from '../../client/client.ts';
import type { SourceInfo } from '../../contract/sources.ts';
import { reembed } from '../api/client.ts';
import { useChecked } from '../indexes/form.ts';
import { useAct } from '../ui/act.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { jsonText } from '../ui/json.ts';
import { Problem } from '../ui/states.tsx';
import { Viewer } from '../ui/viewer.tsx';
import { definitionOf, draftOf, namedSourceSchema } from './draft.ts';
import { SourceFields } from './source-fields.tsx';

interface SourceDialogProps {
  /** The source to change; missing for a new one. */
  source?: SourceInfo;
  onClose: () => void;
}

/** Adds a source, or changes what it takes from its table: first checks it and shows the SQL, then sets it up. */
export function SourceDialog({ source, onClose }: SourceDialogProps) {
  const navigate = useNavigate();
  const [draft, setDraft] = useState(() => draftOf(source));
  const { check, refuse, errorOf } = useChecked(namedSourceSchema);
  const { definition, whereError } = definitionOf(draft);
  const { name } = draft;
  const asked = jsonText([name, definition]);
  const plan = useAct(() => reembed.sources.plan(name, definition).then(({ sql }) => ({ sql, of: asked })), {
    quiet: true,
  });
  const save = useAct(() => reembed.sources.save(name, definition), {
    quiet: true,
    done: () => `${name} is followed; all its rows are synced`,
    changes: [['sources'], ['recent']],
    onDone: () => {
      onClose();
      void navigate({ to: '/sources/$source', params: { source: name } });
    },
  });
  // A plan is valid only for what was checked.
  const sql = plan.data?.of === asked ? plan.data.sql : undefined;
  const isRight = () => check({ name, definition }) && whereError === undefined;
  const submit = () => {
    save.reset();
    if (!isRight()) return;
    if (sql) save.mutate(undefined, { onError: refuse });
    else plan.mutate(undefined, { onError: refuse });
  };
  const errorAt = (field: string) => errorOf(field) ?? errorOf(`definition.${field}`);
  const error = save.error ?? plan.error;
  return (
    <FormDialog
      title={source ? `Change the source ${name}` : 'Add a source'}
      size="lg"
      submit={sql ? (source ? 'Change the source' : 'Add the source') : 'Check and show the SQL'}
      loading={plan.isPending || save.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <SourceFields
        draft={draft}
        isNew={!source}
        errorAt={errorAt}
        whereError={whereError}
        onChange={(change) => setDraft({ ...draft, ...change })}
      />
      {error && (isAtFields(error) ? <MarkedFields /> : <Problem error={error} title="The source was not set up" />)}
      {sql && (
        <div>
          <Text fz="sm" fw={500} mb={4}>
            {sql.length === 0 ? 'Everything is right. No statements have to run.' : 'Everything is right. This runs:'}
          </Text>
          {sql.length > 0 && <Viewer value={sql.map((one) => `${one};`).join('\n\n')} what="the SQL" />}
        </div>
      )}
    </FormDialog>
  );
}

/** Whether each problem is shown at its field. */
const isAtFields = (error: Error) => error instanceof ReembedError && error.issues.length > 0;

function MarkedFields() {
  return (
    <Text fz="sm" c="var(--mantine-color-error)" role="alert">
      Nothing was changed. Correct the marked fields.
    </Text>
  );
}
