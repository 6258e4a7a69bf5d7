import { Group, NumberInput, Text, Textarea, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { z } from 'zod';
import { nameSchema } from '../../contract/indexes.ts';
import { querySetInputSchema } from '../../contract/query-sets.ts';
import { sampledSetSchema } from '../../contract/sampling.ts';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { useChecked } from '../indexes/form.ts';
import { IndexField } from '../indexes/index-field.tsx';
import { useAct } from '../ui/act.ts';
import { Choice, type Option } from '../ui/choice.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { plural } from '../ui/format.ts';
import { lineProblem } from '../ui/lines.ts';
import { Problem } from '../ui/states.tsx';
import { TextFile } from '../ui/text-file.tsx';
import { queriesOf } from './queries-of.ts';

type Origin = 'known' | 'given' | 'sampled';

const ORIGINS: readonly Option<Origin>[] = [
  { value: 'known', label: 'the texts of an index' },
  { value: 'given', label: 'your own queries' },
  { value: 'sampled', label: 'searches of your users that were kept' },
];

const MEANS: Record<Origin, string> = {
  known:
    'A sentence of each text becomes a query whose only right answer is that text. This needs no judgments, and shows whether a model finds a text by a part of it.',
  given:
    'One to a line: a text, or JSON such as {"id": "q1", "text": "big cat", "relevant": [{"id": "lion"}]}, where relevant names the objects that it should find.',
  sampled:
    'Each different text among the kept searches of an alias, without judgments: the comparison then shows how the results differ, not which are better.',
};

const draftSchema = z.object({
  name: nameSchema,
  set: querySetInputSchema.optional(),
  sampled: sampledSetSchema.optional(),
});
type Draft = z.input<typeof draftSchema>;

interface NewQuerySetProps {
  taken: readonly { name: string }[];
  /** What is filled in. */
  given?: { origin: Origin; name: string; index: string };
  onClose: () => void;
}

/** Creates a query set, or replaces the queries of one that exists. */
export function NewQuerySet({ taken, given, onClose }: NewQuerySetProps) {
  const navigate = useNavigate();
  const maySample = useAccess().reasonNot('queries');
  const [name, setName] = useState(given?.name ?? '');
  const [origin, setOrigin] = useState<Origin>(given?.origin ?? 'known');
  const [index, setIndex] = useState(given?.index ?? '');
  const [count, setCount] = useState<number | string>(200);
  const [text, setText] = useState('');
  const { form, check, refuse, errorOf, errorBelow } = useChecked(draftSchema);
  const { items: queries, problem } = queriesOf(text);
  const save = useAct(
    async ({ name: as, set, sampled }: Draft) => {
      if (sampled) await reembed.querySets.sample(as, sampled);
      else if (set) await reembed.querySets.save(as, set);
    },
    {
      quiet: true,
      done: () => `The query set ${name} is ready`,
      changes: [['query-sets'], ['queries', name]],
      onDone: () => {
        onClose();
        void navigate({ to: '/query-sets/$querySet', params: { querySet: name } });
      },
    },
  );
  const submit = () => {
    if (origin === 'given' && problem !== null) return;
    const draft: Draft = {
      name,
      ...(origin === 'known' && { set: { knownItem: { index, queries: Number(count) } } }),
      ...(origin === 'given' && { set: { queries } }),
      ...(origin === 'sampled' && { sampled: { alias: index, count: Number(count) } }),
    };
    if (check(draft)) save.mutate(draft, { onError: refuse });
  };
  const errorAt = (...paths: string[]) => paths.map((path) => errorOf(path)).find((found) => found !== undefined);
  return (
    <FormDialog
      title="New query set"
      size="lg"
      submit="Create the query set"
      loading={save.isPending}
      onSubmit={submit}
      onClose={onClose}
      form={form}
    >
      <TextInput
        label="Name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={errorOf('name')}
        spellCheck={false}
        data-autofocus
      />
      {taken.some((set) => set.name === name) && (
        <Text fz="xs" c="var(--mantine-color-error)" role="alert">
          There is a set with this name: its queries are replaced.
        </Text>
      )}
      <Choice
        label="Made from"
        description={MEANS[origin]}
        options={ORIGINS.map((one) => ({ ...one, disabled: one.value === 'sampled' && maySample !== null }))}
        value={origin}
        onChange={setOrigin}
      />
      {origin === 'given' ? (
        <Queries
          text={text}
          onChange={setText}
          count={queries.length}
          error={
            problem ??
            errorAt('set.queries', 'queries') ??
            lineProblem('query', errorBelow('set.queries') ?? errorBelow('queries'))
          }
        />
      ) : (
        <>
          <IndexField
            label={origin === 'known' ? 'Index' : 'Alias'}
            description={origin === 'known' ? undefined : 'One that keeps a share of its searches.'}
            only={origin === 'known' ? undefined : 'aliases'}
            value={index}
            onChange={setIndex}
            error={errorAt('set.knownItem.index', 'knownItem.index', 'sampled.alias', 'alias')}
          />
          <NumberInput
            label="Max. queries"
            allowDecimal={false}
            thousandSeparator=","
            value={count}
            onChange={setCount}
            error={errorAt('set.knownItem.queries', 'knownItem.queries', 'sampled.count', 'count')}
          />
        </>
      )}
      {save.error && <Problem error={save.error} title="The query set was not saved" />}
    </FormDialog>
  );
}

interface QueriesProps {
  text: string;
  onChange: (text: string) => void;
  count: number;
  error: string | undefined;
}

function Queries({ text, onChange, count, error }: QueriesProps) {
  const [fileProblem, setFileProblem] = useState<string | null>(null);
  return (
    <>
      <Textarea
        label="Queries"
        rows={10}
        value={text}
        onChange={(event) => {
          setFileProblem(null);
          onChange(event.currentTarget.value);
        }}
        error={fileProblem ?? error}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        spellCheck={false}
      />
      <Group gap="xs">
        <TextFile onText={onChange} onProblem={setFileProblem} command="reembed queries import" />
        <Text fz="xs" c="dimmed" role="status">
          {plural(count, 'query', 'queries')}. Files with judgments of their own: reembed queries import.
        </Text>
      </Group>
    </>
  );
}
