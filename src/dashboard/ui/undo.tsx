import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { messageOf } from '../../contract/errors.ts';

const SHOWN_MS = 20_000;

interface Undo {
  /** What was done. */
  message: string;
  undo: () => Promise<unknown>;
  /** What is said after it was undone. */
  undone: string;
  /** Queries to reload then. */
  changes: readonly QueryKey[];
}

/** Returns a function that says what was done, with a button that undoes it while the message is shown. */
export function useUndoToast(): (undo: Undo) => void {
  const cache = useQueryClient();
  return ({ message, undo, undone, changes }) => {
    const take = async (id: string) => {
      notifications.hide(id);
      try {
        await undo();
        notifications.show({ message: undone, color: 'teal' });
      } catch (error) {
        notifications.show({
          title: 'It was not undone',
          message: messageOf(error),
          color: 'red',
          autoClose: SHOWN_MS,
        });
      }
      for (const queryKey of changes) void cache.invalidateQueries({ queryKey });
    };
    const id = notifications.show({
      color: 'teal',
      autoClose: SHOWN_MS,
      message: (
        <Group gap="sm" justify="space-between" wrap="nowrap">
          <span className="wrap">{message}</span>
          <Button variant="default" onClick={() => void take(id)} style={{ flex: 'none' }}>
            Undo
          </Button>
        </Group>
      ),
    });
  };
}
