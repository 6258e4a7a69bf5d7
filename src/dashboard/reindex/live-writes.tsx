import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { reembed } from '../api/client.ts';
import { number, rate } from '../ui/format.ts';

const EVERY_MS = 5_000;
/** The rate is that of the last minute. */
const SAMPLES = 1 + 60_000 / EVERY_MS;

interface Sample {
  since: string | null;
  objects: number;
  atMs: number;
}

/** What users have written since the running attempt began, at which rate, and what the new index has of it. */
export function LiveWrites({ taskId }: { taskId: string }) {
  const samples = useRef<readonly Sample[]>([]);
  const { data } = useQuery({
    queryKey: ['live-writes', taskId],
    queryFn: async () => {
      const counts = await reembed.tasks.liveWrites(taskId);
      const { since, written, deleted } = counts;
      // Another attempt counts from zero.
      const before = samples.current.filter((sample) => sample.since === since);
      samples.current = [...before, { since, objects: written + deleted, atMs: Date.now() }].slice(-SAMPLES);
      return counts;
    },
    refetchInterval: EVERY_MS,
  });
  if (!data) return 'unknown';
  const { since, written, deleted, arrived, isMore } = data;
  if (since === null) return 'none while no attempt runs';
  const perSecond = isMore ? 0 : perSecondOf(samples.current);
  const more = isMore ? 'more than ' : '';
  return (
    <span data-testid="live-writes">
      {more}
      {number(written)} written, {number(deleted)} deleted
      {perSecond > 0 && `, ${rate(perSecond)}`}
      {written + deleted > 0 && `; ${number(arrived)} of them forwarded`}
    </span>
  );
}

function perSecondOf(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.atMs === first.atMs) return 0;
  return Math.max(0, ((last.objects - first.objects) * 1_000) / (last.atMs - first.atMs));
}
