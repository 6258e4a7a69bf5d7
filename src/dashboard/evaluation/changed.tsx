import { Badge, Box, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import {
  type ChangedQuery,
  EVALUATION_METRICS,
  type Evaluation,
  type EvaluationMetric,
  METRIC_NAMES,
} from '../../contract/evaluation.ts';
import { scoreText, signedText } from '../../contract/evaluation-texts.ts';
import type { Json } from '../../contract/json.ts';
import { Card } from '../ui/card.tsx';
import { moveOf } from '../ui/move.ts';
import { tagsOf } from '../ui/payload.tsx';

/** The queries that change most, each with the results of both sides. */
export function Changed({ report }: { report: Evaluation }) {
  const { changed, thresholds } = report;
  if (changed.length === 0) {
    return (
      <Card title="Changed queries">
        <Text fz="sm">Every query finds the same objects in the same order.</Text>
      </Card>
    );
  }
  return (
    <Card title={changed.length === 1 ? 'The query that changes' : `The ${changed.length} queries that change most`}>
      <Stack gap={0} component="ol" m={0} p={0} style={{ listStyle: 'none' }}>
        {changed.map((query, at) => (
          <li key={query.id} className="changed">
            <details open={at === 0}>
              <summary>
                <Summary query={query} metric={thresholds.metric as EvaluationMetric} />
              </summary>
              <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md" my="sm">
                <Results title="Left" side={query.left} other={query.right} />
                <Results title="Right" side={query.right} other={query.left} />
              </SimpleGrid>
            </details>
          </li>
        ))}
      </Stack>
    </Card>
  );
}

function Summary({ query, metric }: { query: ChangedQuery; metric: EvaluationMetric }) {
  const { text, change, metadata, left } = query;
  const tags = tagsOf(metadata as Record<string, Json>);
  return (
    <>
      <Text component="span" fz="sm" fw={600} title={left.scores ? `change in ${METRIC_NAMES[metric]}` : '1 − RBO'}>
        {signedText(change)}
      </Text>{' '}
      <Text component="span" fz="sm" className="wrap">
        {text}
      </Text>
      {tags.length > 0 && (
        <Text component="span" fz="xs" c="dimmed" className="wrap" ml="xs">
          {tags.join(' · ')}
        </Text>
      )}
    </>
  );
}

type Side = ChangedQuery['left'];

function Results({ title, side, other }: { title: string; side: Side; other: Side }) {
  const { scores, results } = side;
  return (
    <Box style={{ minWidth: 0 }}>
      <Text fz="xs" c="dimmed" mb={6}>
        {title}
        {scores && EVALUATION_METRICS.map((metric) => ` · ${METRIC_NAMES[metric]} ${scoreText(scores[metric])}`)}
      </Text>
      {results.length === 0 && <Text fz="sm">Nothing found</Text>}
      <Stack component="ol" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
        {results.map(({ id, grade, text }, place) => (
          <li key={id}>
            <Group gap={8} fz="sm">
              <Text component="span" fz="xs" c="dimmed">
                {place + 1}
              </Text>
              <span className="id">{id}</span>
              {grade !== null && (
                <Badge variant="outline" color={grade > 0 ? 'teal.7' : 'gray.6'} c="inherit" tt="none" radius="sm">
                  {grade > 0 ? `relevant, grade ${grade}` : 'not relevant'}
                </Badge>
              )}
              <Text component="span" fz="xs" c="dimmed">
                {moveOf(id, place, other.results)}
              </Text>
            </Group>
            <Text fz="sm" className="excerpt" title={text}>
              {text}
            </Text>
          </li>
        ))}
      </Stack>
    </Box>
  );
}
