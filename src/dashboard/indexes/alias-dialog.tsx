import { Alert, Button, Checkbox, Group, Modal, NativeSelect, Stack, Table, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ReembedError } from '../../client/client.ts';
import type { Alias, IndexInfo } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { count } from '../ui/format.ts';
import { Problem } from '../ui/states.tsx';
import { useUndoToast } from '../ui/undo.tsx';
import { concernsOf } from './alias-concerns.ts';

interface AliasDialogProps {
  /** With empty names for a new alias. */
  alias: Alias;
  indexes: readonly IndexInfo[];
  onClose: () => void;
}

const ALIASES = [['aliases'], ['indexes']];

/** Points an alias to an index: first compares both indexes, and asks for confirmation if the new one seems worse. */
export function AliasDialog({ alias: given, indexes, onClose }: AliasDialogProps) {
  const [alias, setAlias] = useState(given.alias);
  const [index, setIndex] = useState('');
  const [force, setForce] = useState(false);
  const [sure, setSure] = useState('');
  const isNew = given.alias === '';
  const before = indexes.find(({ name }) => name === given.index);
  const after = indexes.find(({ name }) => name === index);
  const concerns = after ? concernsOf(before, after) : [];
  // A confirmation is valid only for this index and these concerns.
  const asked = JSON.stringify([index, concerns]);
  const toast = useUndoToast();
  const set = useAct(() => reembed.aliases.set(alias, index, { force }), {
    quiet: true,
    changes: ALIASES,
    onDone: () => {
      const message = isNew
        ? `${alias} points to ${index}`
        : `${alias} points to ${index}, no longer to ${given.index}`;
      toast({
        message,
        undo: () => (isNew ? reembed.aliases.delete(alias) : reembed.aliases.set(alias, given.index)),
        undone: isNew ? `Alias ${alias} removed` : `${alias} points to ${given.index} again`,
        changes: ALIASES,
      });
      onClose();
    },
  });
  const notCurrent = set.error instanceof ReembedError && set.error.type === 'NotCurrent';
  const ready = alias !== '' && after !== undefined && (concerns.length === 0 || sure === asked);
  return (
    <Modal opened onClose={onClose} title={isNew ? 'New alias' : `Switch ${given.alias}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) set.mutate();
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
            data={[
              { value: '', label: 'Choose an index', disabled: true },
              ...indexes.filter(({ name }) => name !== given.index).map(({ name }) => name),
            ]}
            value={index}
            onChange={(event) => {
              setIndex(event.currentTarget.value);
              setForce(false);
              set.reset();
            }}
          />
          {after && <Sides sides={before ? [before, after] : [after]} />}
          {concerns.length > 0 && (
            <Alert color="yellow" variant="outline" role="alert" title="Check this first">
              <ul style={{ margin: 0, paddingLeft: 18 }}>
                {concerns.map((concern) => (
                  <li key={concern}>{concern}</li>
                ))}
              </ul>
            </Alert>
          )}
          {concerns.length > 0 && (
            <Checkbox
              size="xs"
              label="Point the alias there anyway"
              checked={sure === asked}
              onChange={(event) => setSure(event.currentTarget.checked ? asked : '')}
            />
          )}
          {set.error && <Problem error={set.error} title="The alias was not changed" />}
          {(force || notCurrent) && (
            <Checkbox
              size="xs"
              label="Force the switch"
              checked={force}
              onChange={(event) => setForce(event.currentTarget.checked)}
            />
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={set.isPending} disabled={!ready}>
              {isNew ? 'Create the alias' : 'Switch the alias'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Compares the index that serves now with the new one. */
function Sides({ sides }: { sides: readonly IndexInfo[] }) {
  return (
    <Table fz="xs" verticalSpacing={4} aria-label="Before and after">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{sides.length === 2 ? 'Now, then' : 'Index'}</Table.Th>
          <Table.Th>Model</Table.Th>
          <Table.Th ta="right">Objects</Table.Th>
          <Table.Th ta="right">Failed</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {sides.map(({ name, model, objects, failed, estimated }) => (
          <Table.Tr key={name}>
            <Table.Td className="id">{name}</Table.Td>
            <Table.Td className="wrap">
              {model.provider} {model.name}
            </Table.Td>
            <Table.Td ta="right">{count(objects, estimated)}</Table.Td>
            <Table.Td ta="right">{count(failed, estimated)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
