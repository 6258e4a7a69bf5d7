import type { Tracker } from '../../contract/tasks.ts';
import { number } from '../ui/format.ts';

type Counted = Pick<Tracker, 'attempts' | 'maxAttempts' | 'steering' | 'status'>;

/** Says how many attempts a task has had, and may have. A restart allows as many again, and the count goes on. */
export function attemptsText({ attempts, maxAttempts, steering, status }: Counted): string {
  const isRestarted = steering.some(({ call }) => call.startsWith('restart'));
  const counts = isRestarted ? ', counting those before the restart' : '';
  if (status === 'done') return attempts <= 1 ? 'done at the first' : `done at number ${number(attempts)}${counts}`;
  return `${attempts === 0 ? 'none' : number(attempts)} so far, at most ${number(maxAttempts)}${counts}`;
}
