import { Alert } from '@mantine/core';
import type { Tracker } from '../../contract/tasks.ts';
import { Moment, useNow } from '../ui/moment.tsx';
import { reasonOf } from './reason.ts';

interface StandstillProps {
  tracker: Tracker;
  ended: boolean;
}

/** Why a task stands still, and what to do; nothing if it does not. */
export function Standstill({ tracker, ended }: StandstillProps) {
  const reason = reasonOf(tracker, ended, useNow().getTime());
  if (!reason) return null;
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
