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
          <NextTry at={reason.nextTry} />
        </>
      )}
    </Alert>
  );
}

/** When it is tried again; one that is due is under way, and may wait for its own time limit. */
function NextTry({ at }: { at: string }) {
  const isDue = Date.parse(at) <= useNow().getTime();
  return isDue ? (
    'It is tried again now.'
  ) : (
    <>
      Next try <Moment at={at} />.
    </>
  );
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
