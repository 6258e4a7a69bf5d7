import { Button, Checkbox, Group, Modal, NativeSelect, Stack, Table, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ReembedError } from '../../client/http/client.ts';
import type { Alias, IndexInfo } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { aliasesQuery } from '../api/queries.ts';
import { useAct } from '../ui/act.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { IndexLink } from '../ui/links.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';

/** The stable names, where each points to, and how that is changed. */
export function Aliases({ indexes }: { indexes: readonly IndexInfo[] }) {
  const { data, error } = useQuery(aliasesQuery);
  const [changed, setChanged] = useState<Alias | null>(null);
  const remove = useAct(reembed.aliases.delete, {
    done: (_, alias) => `The alias ${alias} is gone`,
    changes: [['aliases'], ['indexes']],
  });
  return (
    <Card
      flush
      title="Aliases"
      actions={
        <ActionButton needs="admin" onClick={() => setChanged({ alias: '', index: indexes[0]?.name ?? '' })}>
          New alias…
        </ActionButton>
      }
    >
      {error && !data && <Problem error={error} />}
      {!data && !error && <Loading rows={2} />}
      {data?.length === 0 && <Empty title="No aliases">With an alias, a reindex is switched to in one step.</Empty>}
      {data && data.length > 0 && (
        <Table layout="fixed" aria-label="Aliases">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Alias</Table.Th>
              <Table.Th>Points to</Table.Th>
              <Table.Th w={220} ta="right">
                Change
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map(({ alias, index }) => (
              <Table.Tr key={alias} data-alias={alias}>
                <Table.Td className="id">{alias}</Table.Td>
                <Table.Td>
                  <IndexLink name={index} />
                </Table.Td>
                <Table.Td ta="right">
                  <Group gap={4} justify="flex-end">
                    <ActionButton
                      needs="admin"
                      onClick={() => setChanged({ alias, index })}
                      aria-label={`Switch ${alias}`}
                    >
                      Switch…
                    </ActionButton>
                    <ActionButton
                      needs="admin"
                      loading={remove.isPending && remove.variables === alias}
                      onClick={() => remove.mutate(alias)}
                      aria-label={`Remove ${alias}`}
                    >
                      Remove
                    </ActionButton>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {changed && <AliasDialog alias={changed} indexes={indexes} onClose={() => setChanged(null)} />}
    </Card>
  );
}

interface AliasDialogProps {
  alias: Alias;
  indexes: readonly IndexInfo[];
  onClose: () => void;
}

function AliasDialog({ alias: given, indexes, onClose }: AliasDialogProps) {
  const [alias, setAlias] = useState(given.alias);
  const [index, setIndex] = useState(given.index);
  const [force, setForce] = useState(false);
  const isNew = given.alias === '';
  const set = useAct(() => reembed.aliases.set(alias, index, { force }), {
    quiet: true,
    done: () => `${alias} points to ${index}`,
    changes: [['aliases'], ['indexes']],
    onDone: onClose,
  });
  return (
    <Modal opened onClose={onClose} title={isNew ? 'New alias' : `Switch ${given.alias}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          set.mutate();
        }}
      >
        <Stack gap="sm">
          {isNew && (
            <TextInput
              label="Alias"
              value={alias}
              onChange={(event) => setAlias(event.currentTarget.value)}
              spellCheck={false}
              data-autofocus
            />
          )}
          <NativeSelect
            size="xs"
            label="Points to"
            data={indexes.map(({ name }) => name)}
            value={index}
            onChange={(event) => setIndex(event.currentTarget.value)}
          />
          {set.error && <Problem error={set.error} title="The alias was not changed" />}
          {(force || (set.error instanceof ReembedError && set.error.type === 'NotCurrent')) && (
            <Checkbox
              size="xs"
              label="Switch although the index lacks this"
              checked={force}
              onChange={(event) => setForce(event.currentTarget.checked)}
            />
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            <Button type="submit" loading={set.isPending} disabled={alias === ''}>
              {isNew ? 'Create the alias' : 'Switch the alias'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
