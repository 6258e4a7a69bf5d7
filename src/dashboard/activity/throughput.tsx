import { Sparkline } from '@mantine/charts';
import { Group, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { reembed } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { Card } from '../ui/card.tsx';
import { rate } from '../ui/format.ts';

const PAGE = { status: 'processing', limit: 100 } as const;
const EVERY_MS = 2_000;
const KEPT = 150;

/** Objects per second of all running tasks, sampled while the page is open; not stored. */
export function Throughput() {
  const { data } = useLive(['tasks', PAGE], (options) => reembed.tasks.watchPage(PAGE, options));
  const now = (data?.tasks ?? []).reduce((sum, { progress }) => sum + (progress?.perSecond ?? 0), 0);
  const [samples, setSamples] = useState<number[]>([]);
  useEffect(() => {
    const timer = setInterval(() => setSamples((before) => [...before, now].slice(-KEPT)), EVERY_MS);
    return () => clearInterval(timer);
  }, [now]);
  return (
    <Card title="Throughput now">
      <Group gap="xl" align="flex-end">
        <div>
          <Text fz={22} fw={600}>
            {rate(now)}
          </Text>
          <Text fz="xs" c="dimmed">
            objects, of all running tasks{samples.length > 1 ? ', since this page was opened' : ''}
          </Text>
        </div>
        {samples.length > 1 && (
          <div inert style={{ flex: 1, minWidth: 160 }}>
            <Sparkline h={56} data={samples} color="indigo.7" fillOpacity={0.15} curveType="linear" />
          </div>
        )}
      </Group>
    </Card>
  );
}
