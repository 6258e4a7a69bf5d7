import { useAct } from './act.ts';
import { useOpenTask } from './open-task.ts';

/** Starts a task from a dialog, which shows the error itself: closes the dialog, and opens the page of the task. */
export function useStartTask<I>(start: (input: I) => Promise<{ id: string }>, onClose: () => void) {
  const openTask = useOpenTask();
  return useAct(start, {
    quiet: true,
    changes: [['counts'], ['recent']],
    onDone: (task) => {
      onClose();
      openTask(task);
    },
  });
}
