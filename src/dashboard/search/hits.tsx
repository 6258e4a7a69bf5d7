import { Table, Text } from '@mantine/core';
import type { Hit, SearchResult } from '../../contract/objects.ts';
import { number } from '../ui/format.ts';
import { moveOf } from '../ui/move.ts';
import { ObjectLink } from '../ui/object-id.tsx';
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
        {result.exact ? ' · every part compared' : ''}
        {common === undefined ? '' : ` · ${common} of ${result.hits.length} also found by the other`}
      </Text>
      <Table layout="fixed" aria-label={`Found in ${result.index}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={56}>#</Table.Th>
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
                <ObjectLink index={result.index} id={hit.id} />
                {other && (
                  <Text component="span" fz="xs" c="dimmed">
                    {moveOf(hit.id, place, other)}
                  </Text>
                )}
                <Payload payload={hit.text ?? hit.payload} metadata={hit.metadata} />
                <Text fz="xs" c="dimmed" className="wrap">
                  {matchOf(hit)}
                </Text>
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

/** Says which part of an object matched, and where it stands in each ranking of a search by both. */
function matchOf(hit: Hit): string {
  const { ranks } = hit;
  const place = (rank: number | null) => (rank === null ? 'not among the first' : `place ${number(rank)}`);
  const found = ranks ? `meaning: ${place(ranks.vector)}, words: ${place(ranks.text)}` : '';
  return [partOf(hit), found].filter((each) => each !== '').join(' · ');
}

function partOf({ part, start, end, text, payload }: Hit): string {
  if (text !== undefined && text === payload) return '';
  return part === null
    ? 'the average of all parts matched'
    : `part ${number(part + 1)} matched${start === null || end === null ? '' : `, characters ${number(start + 1)} to ${number(end)}`}`;
}
