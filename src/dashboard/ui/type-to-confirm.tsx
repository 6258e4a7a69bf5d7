import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';

interface TypeToConfirmProps {
  title: string;
  /** The name to type. */
  name: string;
  confirm: string;
  keep: string;
  loading: boolean;
  onConfirm: () => void;
  onClose: () => void;
  /** Additional condition of the caller. */
  ready?: boolean;
  children: ReactNode;
}

/** Asks the user to type a name before an action that cannot be undone. */
export function TypeToConfirm(props: TypeToConfirmProps) {
  const { title, name, confirm, keep, loading, onConfirm, onClose, ready = true, children } = props;
  const [typed, setTyped] = useState('');
  const may = ready && typed === name;
  return (
    <Modal opened onClose={onClose} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (may) onConfirm();
        }}
      >
        <Stack gap="sm">
          {children}
          <TextInput
            label={`Type ${name} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            spellCheck={false}
            data-autofocus
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {keep}
            </Button>
            <Button type="submit" color="red" loading={loading} disabled={!may}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
