import { notifications } from '@mantine/notifications';
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { messageOf } from '../../contract/errors.ts';

interface ActOptions<I, O> {
  /** What is said when it has worked. */
  done?: (output: O, input: I) => string;
  onDone?: (output: O, input: I) => void;
  /** What is asked for anew. */
  changes?: QueryKey[];
  /** Where the error is shown beside what brought it about, it need not be told at the edge too. */
  quiet?: boolean;
}

/** Does something on the server, tells how it went, and asks anew for what it has changed. */
export function useAct<I, O>(
  run: (input: I) => Promise<O>,
  { done, onDone, changes = [], quiet }: ActOptions<I, O> = {},
) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (output, input) => {
      for (const queryKey of changes) void cache.invalidateQueries({ queryKey });
      if (done) notifications.show({ message: done(output, input), color: 'teal' });
      onDone?.(output, input);
    },
    onError: (error) => {
      if (!quiet) notifications.show({ message: messageOf(error), color: 'red', autoClose: 8_000 });
    },
  });
}
