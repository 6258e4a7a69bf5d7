import type { Tracker } from '../../contract/tasks.ts';
import { number } from '../ui/format.ts';

type Counted = Pick<Tracker, 'attempts' | 'maxAttempts' | 'steering' | 'status'>;

/**
 * Says how many attempts a task has had, and may have; `ended` is whether none follows by itself. A restart allows as many
 * again, and the count goes on.
 */
export function attemptsText({ attempts, maxAttempts, steering, status }: Counted, ended: boolean): string {
  const isRestarted = steering.some(({ call }) => call.startsWith('restart'));
  const counts = isRestarted ? ', counting those before the restart' : '';
  if (status === 'done') return attempts <= 1 ? 'done at the first' : `done at number ${number(attempts)}${counts}`;
  const had = attempts === 0 ? 'none' : number(attempts);
  return ended
    ? `${had} of at most ${number(maxAttempts)}${counts}`
    : `${had} so far, at most ${number(maxAttempts)}${counts}`;
}
