import type { Tracker } from '../../contract/tasks.ts';
import { number } from '../ui/format.ts';

type Counted = Pick<Tracker, 'attempts' | 'maxAttempts' | 'steering'>;

/** Says how many attempts a task has had, and may have. A restart allows as many again, and the count goes on. */
export function attemptsText({ attempts, maxAttempts, steering }: Counted): string {
  const isRestarted = steering.some(({ call }) => call.startsWith('restart'));
  const counted = `${number(attempts)} of ${number(maxAttempts)}`;
  return isRestarted ? `${counted}, with those before the restart` : counted;
}
