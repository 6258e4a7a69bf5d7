import { Button, Group, Modal, NativeSelect, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { z } from 'zod';
import { approvalOf } from '../../contract/approval.ts';
import { nameSchema } from '../../contract/indexes.ts';
import { knownItemSchema, type QuerySetInfo } from '../../contract/query-sets.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { querySetsQuery } from '../api/queries.ts';
import { useChecked } from '../indexes/form.ts';
import { useAct } from '../ui/act.ts';
import { plural } from '../ui/format.ts';
import { Loading, Problem } from '../ui/states.tsx';
import { comparisonKey } from './comparison.tsx';
import type { Pair } from './stage.ts';

/** The value of a query set that does not exist yet; no name can be empty. */
const NEW = '';

const draftSchema = z.object({ name: nameSchema, queries: knownItemSchema.shape.queries });
type Draft = z.input<typeof draftSchema>;

interface CompareDialogProps {
  tracker: Tracker;
  pair: Pair;
  onClose: () => void;
}

/** Runs a query set on both indexes of a release; makes one from the old index if there is none. */
export function CompareDialog({ tracker, pair, onClose }: CompareDialogProps) {
  const { data: sets, error } = useQuery(querySetsQuery);
  return (
    <Modal opened onClose={onClose} title={`Compare ${pair.source} and ${pair.dest}`}>
      {error && <Problem error={error} title="The query sets cannot be listed" />}
      {sets ? (
        <CompareForm tracker={tracker} pair={pair} sets={sets} onClose={onClose} />
      ) : (
        !error && <Loading rows={3} />
      )}
    </Modal>
  );
}

/**
 * Returns the set that is chosen at first: that of the reindex, or one made from its indexes. Another one may judge objects
 * that these indexes do not have.
 */
function usualSet({ data }: Tracker, pair: Pair, sets: readonly QuerySetInfo[]): string {
  const own = approvalOf(data)?.evaluation?.querySet;
  const names = [pair.source, pair.dest, data.alias];
  const isOurs = ({ name, knownItem, sampled }: QuerySetInfo) =>
    name === own || names.includes(knownItem?.index ?? NEW) || names.includes(sampled?.alias ?? NEW);
  return sets.find(isOurs)?.name ?? NEW;
}

function CompareForm({ tracker, pair, sets, onClose }: CompareDialogProps & { sets: readonly QuerySetInfo[] }) {
  const alias = typeof tracker.data.alias === 'string' ? tracker.data.alias : pair.source;
  const [chosen, setChosen] = useState(() => usualSet(tracker, pair, sets));
  const [name, setName] = useState(`${alias}-known-items`);
  const [queries, setQueries] = useState<number | string>(200);
  const { form, check, refuse, errorOf } = useChecked(draftSchema);
  const compare = useAct(
    async (draft: Draft | null) => {
      if (draft)
        await reembed.querySets.save(draft.name, { knownItem: { index: pair.source, queries: draft.queries } });
      return reembed.tasks.evaluate({ left: pair.source, right: pair.dest, querySet: draft?.name ?? chosen });
    },
    {
      quiet: true,
      done: () => 'The comparison has begun',
      changes: [comparisonKey(pair.dest), querySetsQuery.queryKey, ['counts']],
      onDone: onClose,
    },
  );
  const submit = () => {
    if (chosen !== NEW) return compare.mutate(null);
    const draft = { name, queries: Number(queries) };
    if (check(draft)) compare.mutate(draft, { onError: refuse });
  };
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <Text fz="sm">
          Runs the queries of a set on both indexes and says whether {pair.dest} may replace {pair.source}. Nothing is
          switched.
        </Text>
        <NativeSelect
          size="xs"
          label="Query set"
          data={[
            ...sets.map((set) => ({
              value: set.name,
              label: `${set.name} (${plural(set.queries, 'query', 'queries')})`,
            })),
            { value: NEW, label: `make one from the texts of ${pair.source}` },
          ]}
          value={chosen}
          onChange={(event) => setChosen(event.currentTarget.value)}
          data-autofocus
        />
        {chosen === NEW && (
          <>
            <Text fz="xs" c="dimmed">
              A sentence of each text becomes a query whose only right answer is that text. This shows whether a model
              finds a text by a part of it. Real questions of your users say more: make a set of them on the page Query
              sets.
            </Text>
            <TextInput
              label="Name of the new set"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              error={errorOf('name')}
              spellCheck={false}
            />
            <NumberInput
              label="Max. queries"
              min={1}
              max={10_000}
              allowDecimal={false}
              thousandSeparator=","
              value={queries}
              onChange={setQueries}
              error={errorOf('queries')}
            />
            {sets.some((set) => set.name === name) && (
              <Text fz="xs" c="var(--mantine-color-error)">
                There is a set with this name: its queries are replaced.
              </Text>
            )}
          </>
        )}
        {compare.error && <Problem error={compare.error} title="Nothing was compared" />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={compare.isPending}>
            Compare
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
