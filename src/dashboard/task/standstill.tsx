import { Alert } from '@mantine/core';
import type { Tracker } from '../../contract/tasks.ts';
import { Moment, useNow } from '../ui/moment.tsx';
import { reasonOf } from './reason.ts';

interface StandstillProps {
  tracker: Tracker;
  ended: boolean;
}

/** Why a task stands still, and what to do, or what slows it; nothing if nothing does. */
export function Standstill({ tracker, ended }: StandstillProps) {
  const reason = reasonOf(tracker, ended, useNow().getTime());
  if (!reason && (ended || !tracker.pace)) return null;
  if (!reason)
    return (
      <Alert
        color="gray"
        variant="outline"
        role="status"
        className="wrap"
        style={{ borderColor: 'var(--mantine-color-default-border)' }}
      >
        {sentence(tracker.pace?.text ?? '')}
      </Alert>
    );
  return (
    <Alert color="yellow" variant="outline" role="status" title={reason.title} className="wrap">
      {reason.text}
      {reason.nextTry !== null && (
        <>
          {' '}
          Next try <Moment at={reason.nextTry} />.
        </>
      )}
    </Alert>
  );
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
