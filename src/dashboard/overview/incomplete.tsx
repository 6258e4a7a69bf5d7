import { Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { reembed } from '../api/client.ts';
import { Card } from '../ui/card.tsx';
import { plural } from '../ui/format.ts';
import { LinkButton } from '../ui/links.tsx';
import { StatusDot } from '../ui/status.tsx';
import { FAILED_WITHIN_DAYS } from './queries.ts';

/** Tasks that are done but could not write some items; nothing if there are none. */
export function Incomplete() {
  const { data } = useQuery({
    queryKey: ['overview', 'incomplete'],
    queryFn: () => {
      const createdAfter = new Date(Date.now() - FAILED_WITHIN_DAYS * 86_400_000);
      return reembed.tasks.counts({ status: 'done', hasFailedItems: true, createdAfter });
    },
    refetchInterval: 10_000,
  });
  if (!data || data.total === 0) return null;
  return (
    <Card title={`Done with failed items in the last ${FAILED_WITHIN_DAYS} days`}>
      <Group gap="sm" justify="space-between" fz="sm">
        <Group gap={7} wrap="nowrap">
          <StatusDot status="done with failed items" />
          <Text fz="sm">
            {plural(data.total, 'task')} could not write some items. Retry only these on the page of each.
          </Text>
        </Group>
        <LinkButton variant="default" to="/tasks" search={{ status: 'done with failed items', within: '7d' }}>
          Show them
        </LinkButton>
      </Group>
    </Card>
  );
}
