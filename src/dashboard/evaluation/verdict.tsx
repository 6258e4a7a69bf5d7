import { Badge, Group, Stack, Text } from '@mantine/core';
import type { Evaluation, Verdict as VerdictName } from '../../contract/evaluation.ts';
import { Card } from '../ui/card.tsx';
import { plural } from '../ui/format.ts';
import { IndexLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';

/** Colors of the verdicts; always shown with the name. */
const COLORS: Record<VerdictName, string> = { go: 'teal.7', 'no-go': 'red.7', inconclusive: 'yellow.7' };

export function VerdictBadge({ verdict, size = 'md' }: { verdict: VerdictName; size?: 'md' | 'lg' }) {
  return (
    <Badge variant="outline" color={COLORS[verdict]} c="inherit" tt="none" radius="sm" size={size}>
      {verdict}
    </Badge>
  );
}

/** The verdict of an evaluation, what was compared, and each threshold with what it says. */
export function Verdict({ report }: { report: Evaluation }) {
  const { verdict, reasons, left, right, queries, judged, querySet, k, createTime } = report;
  return (
    <Card>
      <Stack gap="sm">
        <Group gap="sm" data-testid="verdict">
          <VerdictBadge verdict={verdict} size="lg" />
          <Text fz="sm" className="wrap">
            <IndexLink name={right.index} /> instead of <IndexLink name={left.index} />
          </Text>
        </Group>
        <Text fz="xs" c="dimmed" className="wrap">
          {plural(queries, 'query', 'queries')} of <span className="id">{querySet}</span>, {judged} of them judged, by
          the first {plural(k, 'place')}, <Moment at={createTime} />
        </Text>
        <Stack component="ul" gap={6} m={0} p={0} style={{ listStyle: 'none' }} aria-label="Reasons">
          {reasons.map((reason) => (
            <Group component="li" key={reason.threshold} gap="xs" wrap="nowrap" align="flex-start">
              <span style={{ flex: 'none' }}>
                <VerdictBadge verdict={reason.verdict} />
              </span>
              <Text fz="sm" className="wrap">
                {reason.text}
              </Text>
            </Group>
          ))}
        </Stack>
      </Stack>
    </Card>
  );
}
