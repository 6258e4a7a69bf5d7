import { Text } from '@mantine/core';
import { type PhaseTime, phaseTimesOf, secondsOf } from '../../contract/phase-times.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { duration } from '../ui/format.ts';
import { useNow } from '../ui/moment.tsx';
import { figureOf, type Phase, type PhaseState, phasesOf, statesOf } from './phases.ts';

/** Colors of the states; always shown with the word. */
const LOOKS: Record<PhaseState, { word: string; color: string }> = {
  done: { word: 'done', color: 'teal-7' },
  now: { word: 'now', color: 'blue-6' },
  stopped: { word: 'stopped here', color: 'red-7' },
  pending: { word: 'pending', color: 'gray-5' },
  unknown: { word: 'unknown', color: 'gray-5' },
};

/** The phases of a reindex, with when each ran and for how long. */
export function Timeline({ tracker }: { tracker: Tracker }) {
  const nowMs = useNow().getTime();
  const phases = phasesOf(tracker);
  const states = statesOf(tracker, phases);
  const times = phaseTimesOf(tracker.data);
  const span = spanOf(Object.values(times), nowMs);
  return (
    <Card title="Phases">
      {states[0] === 'unknown' && (
        <Text fz="sm" mb="xs" role="status">
          The phase is unknown: no worker answers.
        </Text>
      )}
      <ol className="phases">
        {phases.map((phase, place) => (
          <Row
            key={phase[0]}
            phase={phase}
            state={states[place] ?? 'unknown'}
            time={times[phase[0]]}
            figure={figureOf(phase[0], tracker)}
            span={span}
            nowMs={nowMs}
          />
        ))}
      </ol>
    </Card>
  );
}

interface Span {
  fromMs: number;
  /** At least 1. */
  lengthMs: number;
}

/** Returns when the first phase began, and how long it is until the end of the last one. */
function spanOf(times: readonly PhaseTime[], nowMs: number): Span {
  const starts = times.map(({ start }) => Date.parse(start));
  const fromMs = Math.min(...starts, nowMs);
  const ends = times.map((time, at) => (starts[at] ?? 0) + secondsOf(time, nowMs) * 1_000);
  return { fromMs, lengthMs: Math.max(1, ...ends.map((end) => end - fromMs)) };
}

interface RowProps {
  phase: Phase;
  state: PhaseState;
  time: PhaseTime | undefined;
  figure: string;
  span: Span;
  nowMs: number;
}

function Row({ phase: [, title, means], state, time, figure, span, nowMs }: RowProps) {
  const { word, color } = LOOKS[state];
  const seconds = time && secondsOf(time, nowMs);
  const facts = [word, figure].filter((text) => text !== '').join(' · ');
  return (
    <li aria-current={state === 'now' ? 'step' : undefined} title={means}>
      <Text fz="sm" fw={state === 'pending' ? 400 : 600} className="nowrap">
        <span
          aria-hidden
          className="phase-dot"
          data-hollow={state === 'pending' || state === 'unknown' || undefined}
          style={{ color: `var(--mantine-color-${color})` }}
        />
        {title}
      </Text>
      <span className="phase-track" aria-hidden>
        {time && seconds !== undefined && (
          <span
            style={{
              background: `var(--mantine-color-${color})`,
              left: `${(100 * (Date.parse(time.start) - span.fromMs)) / span.lengthMs}%`,
              width: `${(100 * seconds * 1_000) / span.lengthMs}%`,
            }}
          />
        )}
      </span>
      <Text fz="xs" c="dimmed" className="phase-time nowrap">
        {seconds === undefined ? '' : shortly(seconds)}
      </Text>
      <Text fz="xs" c="dimmed" className="wrap">
        {facts}
      </Text>
    </li>
  );
}

function shortly(seconds: number): string {
  return seconds < 1 ? '< 1 s' : duration(seconds);
}
