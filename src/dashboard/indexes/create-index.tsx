import { Button, Group, Modal, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { z } from 'zod';
import { indexConfigSchema, metricSchema, nameSchema } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { Problem } from '../ui/states.tsx';
import { useChecked } from './form.ts';
import { emptyModel, ModelFields, modelOf } from './model-fields.tsx';
import { emptySplitter, SplitterFields, splitterOf } from './splitter-fields.tsx';

const draftSchema = z.object({
  name: nameSchema,
  alias: z.union([z.literal(''), nameSchema]),
  config: indexConfigSchema,
});

const METRICS = [
  { value: 'cosine', label: 'cosine' },
  { value: 'l2', label: 'Euclidean distance' },
  { value: 'ip', label: 'inner product' },
];

interface CreateIndexProps {
  taken: readonly string[];
  onClose: () => void;
}

/** Creates an index, and the alias that a service should use for it. */
export function CreateIndex({ taken, onClose }: CreateIndexProps) {
  const navigate = useNavigate();
  const [name, setName] = useState(taken.includes('docs-v1') ? '' : 'docs-v1');
  const [alias, setAlias] = useState(taken.includes('docs') ? '' : 'docs');
  const [model, setModel] = useState(() => emptyModel('hash'));
  const [splitter, setSplitter] = useState(emptySplitter);
  const [metric, setMetric] = useState('cosine');
  const { check, refuse, errorOf } = useChecked(draftSchema);
  const create = useAct(
    async (draft: z.input<typeof draftSchema>) => {
      await reembed.indexes.create(draft.name, draft.config);
      if (draft.alias) await reembed.aliases.set(draft.alias, draft.name);
    },
    {
      quiet: true,
      changes: [['indexes'], ['aliases']],
      onDone: () => {
        onClose();
        void navigate({ to: '/indexes/$index', params: { index: name } });
      },
    },
  );
  const submit = () => {
    const config = { model: modelOf(model), metric: metricSchema.parse(metric), splitter: splitterOf(splitter) };
    const draft = { name, alias, config };
    if (check(draft)) create.mutate(draft, { onError: refuse });
  };
  return (
    <Modal opened onClose={onClose} title="New index">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Stack gap="sm">
          <TextInput
            label="Name"
            description="Include a version: a rebuild creates the next one."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={errorOf('name')}
            spellCheck={false}
            data-autofocus
          />
          <TextInput
            label="Alias"
            description="The stable name that your service uses. May be empty."
            value={alias}
            onChange={(event) => setAlias(event.currentTarget.value)}
            error={errorOf('alias')}
            spellCheck={false}
          />
          <ModelFields model={model} onChange={setModel} errorOf={(path) => errorOf(`config.model.${path}`)} />
          <SplitterFields
            splitter={splitter}
            onChange={setSplitter}
            errorOf={(path) => errorOf(`config.splitter.${path}`)}
          />
          <NativeSelect
            size="xs"
            label="Distance of two vectors"
            data={METRICS}
            value={metric}
            onChange={(event) => setMetric(event.currentTarget.value)}
          />
          {create.error && <Problem error={create.error} title="The index was not created" />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button type="submit" loading={create.isPending}>
              Create the index
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
