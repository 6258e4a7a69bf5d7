import { SimpleGrid, Table, Text } from '@mantine/core';
import type { Evaluation, EvaluationSide } from '../../contract/evaluation.ts';
import { latencyText, scoreText } from '../../contract/evaluation-texts.ts';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { IndexLink } from '../ui/links.tsx';

/** Both indexes: model and content, and recall and latency of their searches. */
export function Sides({ report }: { report: Evaluation }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
      <Side title="Left" side={report.left} />
      <Side title="Right" side={report.right} />
    </SimpleGrid>
  );
}

function Side({ title, side }: { title: string; side: EvaluationSide }) {
  const { index, model, objects, empty, unknownWords, missing, exact, hnsw } = side;
  const lacks = [
    [empty, 'queries without a result'],
    [unknownWords, 'queries of which the model knows no word'],
    [missing.judgments, 'judgments for objects that do not exist'],
  ] as const;
  return (
    <Card flush title={title}>
      <Text fz="sm" px="md" className="wrap">
        <IndexLink name={index} />
      </Text>
      <Text fz="xs" c="dimmed" px="md" pb="sm" className="wrap">
        {model} · {number(objects)} {objects === 1 ? 'object' : 'objects'}
        {lacks.map(([count, what]) => (count > 0 ? ` · ${number(count)} ${what}` : ''))}
      </Text>
      <Table layout="fixed" aria-label={`Searches of ${index}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Search</Table.Th>
            <Table.Th ta="right">Recall</Table.Th>
            <Table.Th ta="right">p50</Table.Th>
            <Table.Th ta="right">p95</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {hnsw.map(({ efSearch, isDefault, recall, p50Ms, p95Ms }) => (
            <Table.Tr key={efSearch}>
              <Table.Td>
                <span className="nowrap">ef_search {efSearch}</span>
                {isDefault && (
                  <Text component="span" fz="xs" c="dimmed" display="block">
                    used by searches
                  </Text>
                )}
              </Table.Td>
              <Table.Td ta="right">{recall !== null && scoreText(recall)}</Table.Td>
              <Table.Td ta="right">{latencyText(p50Ms)}</Table.Td>
              <Table.Td ta="right">{latencyText(p95Ms)}</Table.Td>
            </Table.Tr>
          ))}
          <Table.Tr>
            <Table.Td>
              exact
              {hnsw.length === 0 && (
                <Text component="span" fz="xs" c="dimmed" display="block">
                  there is no HNSW index
                </Text>
              )}
            </Table.Td>
            <Table.Td />
            <Table.Td ta="right">{latencyText(exact.p50Ms)}</Table.Td>
            <Table.Td ta="right">{latencyText(exact.p95Ms)}</Table.Td>
          </Table.Tr>
        </Table.Tbody>
      </Table>
    </Card>
  );
}
