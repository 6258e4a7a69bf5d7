import { Checkbox, NumberInput, SimpleGrid, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { type IndexPatchInput, indexPatchSchema, type PatchedIndex } from '../../contract/index-patch.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { useOpenTask } from '../ui/open-task.ts';
import { Problem } from '../ui/states.tsx';
import { useChecked } from './form.ts';
import { KEEP } from './keep.ts';
import { emptyVectors, VectorIndexFields, vectorIndexOf } from './vector-fields.tsx';

/** Fields of a model by which its calls differ, but not its vectors. */
const TEXTS = [
  { field: 'baseUrl', label: 'Endpoint', description: 'Another address of the same model' },
  { field: 'apiKeyEnv', label: 'Variable that holds the key', description: 'Set it for the API and the workers' },
] as const;
const NUMBERS = [
  { field: 'timeoutMs', label: 'Timeout of a call (ms)' },
  { field: 'batchSize', label: 'Max. texts in a call' },
] as const;

type Field = (typeof TEXTS | typeof NUMBERS)[number]['field'];
type ModelDraft = Record<Field, string | number>;

interface ChangeIndexProps {
  index: IndexInfo;
  onClose: () => void;
}

/** Changes settings of an index that leave its vectors as they are; another vector index is built by a task. */
export function ChangeIndex({ index: given, onClose }: ChangeIndexProps) {
  const openTask = useOpenTask();
  // What was opened: the page keeps reading.
  const [index] = useState(given);
  const [vectors, setVectors] = useState(() => emptyVectors(KEEP));
  const [readyVectors, setReadyVectors] = useState(index.readyVectors === true);
  const [model, setModel] = useState(() => modelDraftOf(index));
  const { form, check, refuse, errorOf } = useChecked(indexPatchSchema);
  const patch = useAct((body: IndexPatchInput) => reembed.indexes.patch(index.name, body), {
    quiet: true,
    changes: [['indexes'], ['recent']],
    done: ({ taskId }: PatchedIndex) =>
      taskId === null ? `${index.name} is changed` : `The vector index of ${index.name} is being built`,
    onDone: ({ taskId }) => {
      onClose();
      if (taskId !== null) openTask({ id: taskId });
    },
  });
  const body: IndexPatchInput = {
    ...(vectors.kind !== KEEP && { vectorIndex: vectorIndexOf(vectors) }),
    ...(readyVectors !== (index.readyVectors === true) && { readyVectors }),
    ...modelChangeOf(index, model),
  };
  const submit = () => {
    if (check(body)) patch.mutate(body, { onError: refuse });
  };
  const text = (field: Field, label: string, description: string) => (
    <TextInput
      key={field}
      label={label}
      description={description}
      value={model?.[field] ?? ''}
      onChange={(event) => model && setModel({ ...model, [field]: event.currentTarget.value })}
      error={errorOf(`model.${field}`)}
      spellCheck={false}
    />
  );
  const count = (field: Field, label: string) => (
    <NumberInput
      key={field}
      label={label}
      allowDecimal={false}
      thousandSeparator=","
      value={model?.[field] ?? ''}
      onChange={(value) => model && setModel({ ...model, [field]: value })}
      error={errorOf(`model.${field}`)}
    />
  );
  return (
    <FormDialog
      title={`Change ${index.name}`}
      size="lg"
      submit="Change the index"
      loading={patch.isPending}
      disabled={Object.keys(body).length === 0}
      onSubmit={submit}
      onClose={onClose}
      form={form}
    >
      <Text fz="sm">
        These settings leave the vectors as they are. Another model, metric or size of the parts needs a reindex.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <VectorIndexFields
          vectors={vectors}
          onChange={setVectors}
          errorOf={errorOf}
          same={[{ value: KEEP, label: `as it is: ${vectorIndexText(index)}` }]}
        />
        {model && TEXTS.map(({ field, label, description }) => text(field, label, description))}
        {model && NUMBERS.map(({ field, label }) => count(field, label))}
      </SimpleGrid>
      {vectors.kind !== KEEP && (
        <Text fz="xs" c="dimmed">
          A task builds it, while searches use the one that is there.
        </Text>
      )}
      <Checkbox
        label="Objects may have vectors of their own"
        description="That the same model has made elsewhere; the model is not called for them"
        checked={readyVectors}
        onChange={(event) => setReadyVectors(event.currentTarget.checked)}
      />
      {patch.error && <Problem error={patch.error} title="The index was not changed" />}
    </FormDialog>
  );
}

function vectorIndexText({ vectorIndex }: IndexInfo): string {
  if (vectorIndex.kind === 'none') return 'none';
  const { precision, m, efConstruction } = vectorIndex;
  return `HNSW, ${precision}, ${m} neighbors, width ${efConstruction}`;
}

/** Returns the draft of a model that is called over the network; null for one that is not. */
function modelDraftOf({ model }: IndexInfo): ModelDraft | null {
  if (!('timeoutMs' in model)) return null;
  const fieldOf = (field: Field) => (model as Partial<ModelDraft>)[field] ?? '';
  return {
    baseUrl: fieldOf('baseUrl'),
    apiKeyEnv: fieldOf('apiKeyEnv'),
    timeoutMs: fieldOf('timeoutMs'),
    batchSize: fieldOf('batchSize'),
  };
}

/** Returns the fields of the model that differ; an empty one is removed. */
function modelChangeOf(index: IndexInfo, draft: ModelDraft | null): Pick<IndexPatchInput, 'model'> {
  const before = modelDraftOf(index);
  if (!draft || !before) return {};
  const changed = (Object.keys(draft) as Field[]).filter((field) => draft[field] !== before[field]);
  if (changed.length === 0) return {};
  return { model: Object.fromEntries(changed.map((field) => [field, draft[field] === '' ? null : draft[field]])) };
}
