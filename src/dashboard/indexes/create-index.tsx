import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { z } from 'zod';
import { indexConfigSchema, nameSchema } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { Problem } from '../ui/states.tsx';
import { useChecked } from './form.ts';
import { IndexSettings, newSettingsOf, usualSettings } from './index-settings.tsx';
import { emptyModel, ModelFields, modelOf } from './model-fields.tsx';

const draftSchema = z.object({
  name: nameSchema,
  alias: z.union([z.literal(''), nameSchema]),
  config: indexConfigSchema,
});

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
  const [settings, setSettings] = useState(usualSettings);
  const { form, check, refuse, errorOf } = useChecked(draftSchema);
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
    const config = { model: modelOf(model), ...newSettingsOf(settings) };
    const draft = { name, alias, config };
    if (check(draft)) create.mutate(draft, { onError: refuse });
  };
  return (
    <Modal opened onClose={onClose} title="New index" size="lg">
      <form
        ref={form}
        noValidate
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
          <IndexSettings settings={settings} onChange={setSettings} errorOf={(path) => errorOf(`config.${path}`)} />
          {create.error && <Problem error={create.error} title="The index was not created" />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
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
