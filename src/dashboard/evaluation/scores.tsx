import { Table, Text } from '@mantine/core';
import {
  type Compared,
  EVALUATION_METRICS,
  type Evaluation,
  type EvaluationMetric,
  METRIC_NAMES,
  type Scores as ScoresOfSide,
} from '../../contract/evaluation.ts';
import { groupText, intervalText, scoreText, signedText } from '../../contract/evaluation-texts.ts';
import { Card } from '../ui/card.tsx';
import { FactList } from '../ui/fact-list.tsx';
import { number } from '../ui/format.ts';

/** The measures of both sides, their differences, and how similar the results are. */
export function Scores({ report }: { report: Evaluation }) {
  const { left, right, differences, agreement, thresholds } = report;
  return (
    <>
      {differences && (
        <Card flush title="Scores">
          <Table layout="fixed" aria-label="Scores">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Measure</Table.Th>
                <Table.Th ta="right">Left</Table.Th>
                <Table.Th ta="right">Right</Table.Th>
                <Table.Th ta="right" w="34%">
                  Difference
                </Table.Th>
                <SignsHead />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {EVALUATION_METRICS.map((metric) => (
                <Table.Tr key={metric}>
                  <Table.Th scope="row" fz="sm">
                    {METRIC_NAMES[metric]}
                    {metric === thresholds.metric && (
                      <Text component="span" fz="xs" c="dimmed" display="block" fw={400}>
                        decides
                      </Text>
                    )}
                  </Table.Th>
                  <ScoreCells left={left.scores} right={right.scores} metric={metric} compared={differences[metric]} />
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Card>
      )}
      <Card title="Similarity of the results">
        <FactList
          facts={[
            ['Overlap', scoreText(agreement.overlap)],
            ['Rank-biased overlap', scoreText(agreement.rbo)],
            ['Displacement', `${scoreText(agreement.displacement)} places`],
          ]}
        />
      </Card>
    </>
  );
}

/** The measures by the values of a metadata field. */
export function Breakdown({ report }: { report: Evaluation }) {
  const { breakdown, thresholds } = report;
  if (!breakdown) return null;
  const metric = thresholds.metric as EvaluationMetric;
  const isJudged = breakdown.groups.some(({ judged }) => judged > 0);
  return (
    <Card flush title={`By ${breakdown.field}`}>
      <Table layout="fixed" aria-label={`By ${breakdown.field}`}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{breakdown.field}</Table.Th>
            {isJudged && (
              <>
                <Table.Th ta="right">Left {METRIC_NAMES[metric]}</Table.Th>
                <Table.Th ta="right">Right</Table.Th>
                <Table.Th ta="right" w="34%">
                  Difference
                </Table.Th>
                <SignsHead />
              </>
            )}
            <Table.Th ta="right" visibleFrom={isJudged ? 'lg' : undefined}>
              Overlap
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {breakdown.groups.map((group) => (
            <Table.Tr key={group.value ?? 'none'}>
              <Table.Th scope="row" fz="sm" className="wrap">
                {groupText(group)}
                <Text component="span" fz="xs" c="dimmed" display="block" fw={400}>
                  {number(group.queries)} {group.queries === 1 ? 'query' : 'queries'}
                </Text>
              </Table.Th>
              {isJudged && (
                <ScoreCells left={group.left} right={group.right} metric={metric} compared={group.difference} />
              )}
              <Table.Td ta="right" visibleFrom={isJudged ? 'lg' : undefined}>
                {scoreText(group.agreement.overlap)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {breakdown.omitted > 0 && (
        <Text fz="xs" c="dimmed" p="md">
          {number(breakdown.omitted)} more values are left out.
        </Text>
      )}
    </Card>
  );
}

function SignsHead() {
  return (
    <Table.Th ta="right" visibleFrom="sm" w={170}>
      Better, equal, worse
    </Table.Th>
  );
}

interface ScoreCellsProps {
  left: ScoresOfSide | null;
  right: ScoresOfSide | null;
  metric: EvaluationMetric;
  compared: Compared | null;
}

function ScoreCells({ left, right, metric, compared }: ScoreCellsProps) {
  const signs = compared && `${number(compared.better)}, ${number(compared.equal)}, ${number(compared.worse)}`;
  return (
    <>
      <Table.Td ta="right">{left && scoreText(left[metric])}</Table.Td>
      <Table.Td ta="right">{right && scoreText(right[metric])}</Table.Td>
      <Table.Td ta="right">
        {compared && (
          <>
            <Text fz="sm" fw={600}>
              {signedText(compared.mean)}
            </Text>
            <Text fz="xs" c="dimmed">
              {intervalText(compared)}
            </Text>
            <Text fz="xs" c="dimmed" hiddenFrom="sm">
              {number(compared.better)} better, {number(compared.equal)} equal, {number(compared.worse)} worse
            </Text>
          </>
        )}
      </Table.Td>
      <Table.Td ta="right" visibleFrom="sm" className="nowrap">
        {signs}
      </Table.Td>
    </>
  );
}
