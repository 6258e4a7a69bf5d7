import { useQueryClient } from '@tanstack/react-query';
import type { Tracker } from '../../contract/tasks.ts';
import { useAct } from '../ui/act.ts';

/** Steers one task. Reopens its stream, which may have ended, since the task may run again. */
export function useTaskAct<I = void>(taskId: string, run: (input: I) => Promise<Tracker>, done: string) {
  const cache = useQueryClient();
  return useAct<I, Tracker>(run, {
    done: () => done,
    changes: [['counts'], ['children', taskId]],
    onDone: (tracker) => {
      const look = cache.getQueryData<number>(['look', taskId]) ?? 0;
      cache.setQueryData(['task', taskId, look + 1], tracker);
      cache.setQueryData(['look', taskId], look + 1);
    },
  });
}
