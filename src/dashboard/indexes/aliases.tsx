import { Box, Group, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Alias, IndexInfo } from '../../contract/indexes.ts';
import { aliasesQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { IndexLink } from '../ui/links.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { AliasDialog } from './alias-dialog.tsx';
import { RemoveAlias } from './remove-alias.tsx';

/** Lists the aliases and the indexes that they point to, and allows changes. */
export function Aliases({ indexes }: { indexes: readonly IndexInfo[] }) {
  const { data, error } = useQuery(aliasesQuery);
  const [changed, setChanged] = useState<Alias | null>(null);
  const [removed, setRemoved] = useState<Alias | null>(null);
  const actionsOf = (one: Alias) => (
    <Group gap={4} className="row-actions">
      <ActionButton needs="admin" onClick={() => setChanged(one)} aria-label={`Switch ${one.alias}`}>
        Switch…
      </ActionButton>
      <ActionButton needs="admin" onClick={() => setRemoved(one)} aria-label={`Remove ${one.alias}`}>
        Remove…
      </ActionButton>
    </Group>
  );
  return (
    <Card
      flush
      title="Aliases"
      actions={
        <ActionButton needs="admin" onClick={() => setChanged({ alias: '', index: '' })}>
          New alias…
        </ActionButton>
      }
    >
      {error && !data && <Problem error={error} />}
      {!data && !error && <Loading rows={2} />}
      {data?.length === 0 && (
        <Empty title="No aliases">With an alias, you switch to a rebuilt index in one step.</Empty>
      )}
      {data && data.length > 0 && (
        <Table layout="fixed" aria-label="Aliases">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Alias</Table.Th>
              <Table.Th>Points to</Table.Th>
              <Table.Th w={220} ta="right" visibleFrom="xs">
                Change
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map(({ alias, index }) => (
              <Table.Tr key={alias} data-alias={alias}>
                <Table.Td>
                  <span className="id">{alias}</span>
                  <Box hiddenFrom="xs" mt={4}>
                    {actionsOf({ alias, index })}
                  </Box>
                </Table.Td>
                <Table.Td>
                  <IndexLink name={index} />
                </Table.Td>
                <Table.Td ta="right" visibleFrom="xs">
                  {actionsOf({ alias, index })}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {removed && <RemoveAlias alias={removed} onClose={() => setRemoved(null)} />}
      {changed && <AliasDialog alias={changed} indexes={indexes} onClose={() => setChanged(null)} />}
    </Card>
  );
}
