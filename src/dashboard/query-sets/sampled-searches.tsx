import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Sampling } from '../../contract/sampling.ts';
import { reembed } from '../api/client.ts';
import { aliasesQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { plural, share } from '../ui/format.ts';
import { Moment } from '../ui/moment.tsx';
import { SamplingDialog } from './sampling-dialog.tsx';

/** Which share of the searches by each alias is kept, to make query sets of them; nothing if there is no alias. */
export function SampledSearches() {
  const aliases = useQuery(aliasesQuery).data ?? [];
  const [changed, setChanged] = useState<Sampling | null>(null);
  if (aliases.length === 0) return null;
  return (
    <Card flush title="Searches of your users">
      <Text fz="sm" c="dimmed" px="md" pb="sm">
        A share of the searches by an alias can be kept for some days: the best queries are those that people ask.
      </Text>
      <Table layout="fixed" aria-label="Kept searches">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Alias</Table.Th>
            <Table.Th>Kept</Table.Th>
            <Table.Th w={110} ta="right">
              Change
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {aliases.map(({ alias }) => (
            <AliasRow key={alias} alias={alias} onChange={setChanged} />
          ))}
        </Table.Tbody>
      </Table>
      {changed && <SamplingDialog sampling={changed} onClose={() => setChanged(null)} />}
    </Card>
  );
}

function AliasRow({ alias, onChange }: { alias: string; onChange: (sampling: Sampling) => void }) {
  const { data } = useQuery({
    queryKey: ['sampling', alias],
    queryFn: () => reembed.sampling.get(alias),
    refetchInterval: 10_000,
    retry: false,
  });
  return (
    <Table.Tr data-sampling={alias}>
      <Table.Td className="id">{alias}</Table.Td>
      <Table.Td className="wrap">
        {data && keptText(data)}
        {data?.newest && (
          <Text fz="xs" c="dimmed" component="div">
            newest <Moment at={data.newest} />
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right">
        {data && (
          <ActionButton needs="admin" onClick={() => onChange(data)} aria-label={`Change what ${alias} keeps`}>
            Change…
          </ActionButton>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function keptText({ share: part, keep, searches }: Sampling): string {
  if (part === 0 && searches === 0) return 'nothing';
  const kept = plural(searches, 'search', 'searches');
  return part === 0 ? `${kept}, and no further ones` : `${share(part)} for ${keep}: ${kept}`;
}
