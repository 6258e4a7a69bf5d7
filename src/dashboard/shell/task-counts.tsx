import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { reembed } from '../api/client.ts';
import { number } from '../ui/format.ts';

const DAYS = 7;

/** Counts by few queries, since every page shows them. */
async function countNow(): Promise<{ running: number; failed: number }> {
  const createdAfter = new Date(Date.now() - DAYS * 86_400_000);
  const [running, failed, exhausted] = await Promise.all([
    reembed.tasks.counts({ status: 'processing' }),
    reembed.tasks.counts({ status: 'failed', open: false, createdAfter }),
    reembed.tasks.counts({ status: 'exhausted', createdAfter }),
  ]);
  return { running: running.total, failed: failed.total + exhausted.total };
}

/** How many tasks run, and how many of the last days have failed for good; nothing if there are none. */
export function TaskCounts() {
  const { data } = useQuery({
    queryKey: ['counts', 'navigation'],
    queryFn: countNow,
    refetchInterval: 10_000,
    retry: false,
  });
  if (!data) return null;
  const { running, failed } = data;
  const parts = [running > 0 ? `${number(running)} running` : '', failed > 0 ? `${number(failed)} failed` : ''];
  const text = parts.filter((part) => part !== '').join(' · ');
  if (text === '') return null;
  return (
    <Text component="span" className="nav-count" title={failed > 0 ? `failed in the last ${DAYS} days` : undefined}>
      {text}
    </Text>
  );
}
