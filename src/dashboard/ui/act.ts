import { notifications } from '@mantine/notifications';
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { messageOf } from '../../contract/errors.ts';

interface ActOptions<I, O> {
  /** Returns the message after success. */
  done?: (output: O, input: I) => string;
  onDone?: (output: O, input: I) => void;
  /** Queries to reload. */
  changes?: QueryKey[];
  /** Show no notification of an error, because the caller shows it. */
  quiet?: boolean;
}

/** Runs an action on the server, notifies the user of the result, and reloads what it has changed. */
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
