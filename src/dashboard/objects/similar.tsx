import { Button, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { reembed } from '../api/client.ts';
import { Card } from '../ui/card.tsx';
import { ObjectLink } from '../ui/object-id.tsx';
import { Payload } from '../ui/payload.tsx';
import { Loading, Problem } from '../ui/states.tsx';

const SHOWN = 10;

/** The objects nearest to one, by its own vector: no call of the model. */
export function Similar({ index, id }: { index: string; id: string }) {
  const [isAsked, setAsked] = useState(false);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['similar', index, id],
    queryFn: () => reembed.search(index, { id, limit: SHOWN }),
    enabled: isAsked,
    retry: false,
  });
  const ask = () => (isAsked ? void refetch() : setAsked(true));
  return (
    <Card
      flush
      title="Similar objects"
      actions={
        <Button variant="default" loading={isFetching} onClick={ask}>
          Find similar
        </Button>
      }
    >
      {error && <Problem error={error} title="Similar objects cannot be found" />}
      {isFetching && !data && <Loading rows={3} />}
      {data?.hits.length === 0 && (
        <Text fz="sm" c="dimmed" px="md" pb="md" role="status">
          The index has no other object with vectors.
        </Text>
      )}
      {data && data.hits.length > 0 && (
        <Table layout="fixed" aria-label="Similar objects">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="26%">Id</Table.Th>
              <Table.Th>Content</Table.Th>
              <Table.Th w={84} ta="right">
                Score
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.hits.map((hit) => (
              <Table.Tr key={hit.id}>
                <Table.Td>
                  <ObjectLink index={index} id={hit.id} />
                </Table.Td>
                <Table.Td>
                  <Payload payload={hit.text ?? hit.payload} metadata={hit.metadata} />
                </Table.Td>
                <Table.Td ta="right">{hit.score.toFixed(3)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}
