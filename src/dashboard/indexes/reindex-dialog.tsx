import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { PlanReindexRequest } from '../../contract/plan.ts';
import { reindexSchema } from '../../contract/task-bodies.ts';
import { reembed } from '../api/client.ts';
import { indexesQuery } from '../api/queries.ts';
import { useAct } from '../ui/act.ts';
import { Choice } from '../ui/choice.tsx';
import { useOpenTask } from '../ui/open-task.ts';
import { Loading, Problem } from '../ui/states.tsx';
import { nextName, useChecked } from './form.ts';
import { IndexSettings, keptSettings, settingsOf } from './index-settings.tsx';
import { emptyModel, ModelFields, modelOf } from './model-fields.tsx';
import { emptyOptions, OPTION_WORDS, optionsOf } from './options.ts';
import { PlanPanel } from './plan-panel.tsx';
import { ReindexOptions } from './reindex-options.tsx';
import { SwitchOptions } from './switch-options.tsx';

interface ReindexDialogProps {
  source?: string;
  onClose: () => void;
}

export function ReindexDialog({ source, onClose }: ReindexDialogProps) {
  const { data, error } = useQuery(indexesQuery);
  return (
    <Modal opened onClose={onClose} title="Reindex" size="lg">
      {error && <Problem error={error} />}
      {data ? <ReindexForm indexes={data} source={source} onClose={onClose} /> : !error && <Loading />}
    </Modal>
  );
}

/** Returns the names that can be rebuilt: aliases first, since these are switched at the end. */
function sourcesOf(indexes: readonly IndexInfo[]) {
  const aliases = indexes.flatMap((index) => index.aliases.map((alias) => ({ name: alias, index })));
  return [...aliases, ...indexes.map((index) => ({ name: index.name, index }))];
}

/** Returns the field of a reindex for a setting of its destination: `destMetric` for `metric`. */
const destPath = (path: string) => `dest${path.charAt(0).toUpperCase()}${path.slice(1)}`;

function ReindexForm({ indexes, source: first, onClose }: ReindexDialogProps & { indexes: readonly IndexInfo[] }) {
  const sources = sourcesOf(indexes);
  const openTask = useOpenTask();
  const [source, setSource] = useState(first ?? sources[0]?.name ?? '');
  const index = sources.find(({ name }) => name === source)?.index;
  const [written, setDest] = useState<string | null>(null);
  const dest =
    written ??
    nextName(
      index?.name ?? source,
      indexes.map(({ name }) => name),
    );
  const [model, setModel] = useState(() => emptyModel(index?.model.provider === 'hash' ? 'words' : 'same'));
  const [settings, setSettings] = useState(keptSettings);
  const [options, setOptions] = useState(emptyOptions);
  const { form, check, refuse, errorOf } = useChecked(reindexSchema, OPTION_WORDS);
  const alias = index?.aliases.includes(source) ? source : undefined;
  const exists = indexes.some(({ name }) => name === dest);
  const start = useAct(reembed.tasks.reindex, {
    quiet: true,
    changes: [['indexes'], ['counts']],
    onDone: (task) => {
      onClose();
      openTask(task);
    },
  });
  const plan = useAct((body: PlanReindexRequest) => reembed.tasks.planReindex(body), { quiet: true });
  const bodyOf = () => {
    // A destination that does not exist yet needs a model; default: the source's.
    const destModel = exists ? modelOf(model) : (modelOf(model) ?? index?.model);
    const { splitter, metric, fullText, storage, vectorIndex, average } = settingsOf(settings);
    const texts = { destSplitter: splitter, destFullText: fullText };
    const vectors = { destMetric: metric, destStorage: storage, destVectorIndex: vectorIndex, destAverage: average };
    return { source, dest, destModel, ...texts, ...vectors, ...optionsOf(options, alias !== undefined) };
  };
  const send = (act: typeof start | typeof plan) => {
    const body = bodyOf();
    if (check(body)) act.mutate(body, { onError: refuse });
  };
  const isCurrent = JSON.stringify(plan.variables) === JSON.stringify(bodyOf());
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        send(start);
      }}
    >
      <Stack gap="sm">
        <Choice
          label="Rebuild"
          options={sources.map(({ name, index: to }) => ({
            value: name,
            label: name === to.name ? name : `${name} (alias of ${to.name})`,
          }))}
          value={source}
          onChange={setSource}
          error={errorOf('source')}
          autoFocus
        />
        <TextInput
          label="Into the new index"
          value={dest}
          onChange={(event) => setDest(event.currentTarget.value)}
          error={errorOf('dest')}
          spellCheck={false}
        />
        <ModelFields
          model={model}
          onChange={setModel}
          same={index?.model.name}
          errorOf={(path) => errorOf(`destModel.${path}`)}
        />
        <IndexSettings settings={settings} onChange={setSettings} errorOf={(path) => errorOf(destPath(path))} hasSame />
        <SwitchOptions options={options} onChange={setOptions} errorOf={errorOf} alias={alias} />
        <ReindexOptions options={options} onChange={setOptions} errorOf={errorOf} />
        <Text fz="xs" c="dimmed">
          {alias
            ? `Writes continue and also reach ${dest || 'the new index'}. ${options.approve === 'auto' ? 'At the end' : 'After the approval'}, “${alias}” is switched to it in one step.`
            : 'Writes continue and also reach the new index. No alias is switched: choose an alias above for that.'}
        </Text>
        {plan.error && <Problem error={plan.error} title="There is no plan" />}
        {isCurrent && plan.data && <PlanPanel plan={plan.data} />}
        {start.error && <Problem error={start.error} title="The reindex was not started" />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="default" loading={plan.isPending} onClick={() => send(plan)}>
            Plan it first
          </Button>
          <Button type="submit" loading={start.isPending}>
            Start the reindex
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
