import { Table, Text } from '@mantine/core';
import type { Hit, SearchResult } from '../../contract/objects.ts';
import { moveOf } from '../ui/move.ts';
import { Payload } from '../ui/payload.tsx';
import { Empty } from '../ui/states.tsx';

interface HitsProps {
  result: SearchResult;
  ms: number;
  /** The hits of the other index, to compare ranks. */
  other: readonly Hit[] | undefined;
}

export function Hits({ result, ms, other }: HitsProps) {
  if (result.hits.length === 0) return <Empty title="Nothing found" />;
  const common = other && result.hits.filter(({ id }) => other.some((hit) => hit.id === id)).length;
  return (
    <>
      <Text fz="xs" c="dimmed" px="md" pb="xs" role="status">
        {result.index} answered in {Math.round(ms)} ms
        {common === undefined ? '' : ` · ${common} of ${result.hits.length} also found by the other`}
      </Text>
      <Table layout="fixed" aria-label={`Found in ${result.index}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={44}>#</Table.Th>
            <Table.Th>Object</Table.Th>
            <Table.Th w={76} ta="right">
              Score
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {result.hits.map((hit, place) => (
            <Table.Tr key={hit.id}>
              <Table.Td style={{ verticalAlign: 'top' }}>{place + 1}</Table.Td>
              <Table.Td>
                <span className="id">{hit.id}</span>{' '}
                {other && (
                  <Text component="span" fz="xs" c="dimmed">
                    {moveOf(hit.id, place, other)}
                  </Text>
                )}
                <Payload payload={hit.text ?? hit.payload} metadata={hit.metadata} />
              </Table.Td>
              <Table.Td ta="right" style={{ verticalAlign: 'top' }}>
                {hit.score.toFixed(3)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}
