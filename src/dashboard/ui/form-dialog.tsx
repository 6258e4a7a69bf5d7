import { Button, Group, Modal, Stack } from '@mantine/core';
import type { ReactNode, Ref } from 'react';

interface FormDialogProps {
  title: string;
  size?: 'lg';
  /** Label of the button that submits. */
  submit: string;
  loading: boolean;
  /** Whether the form cannot be submitted yet. */
  disabled?: boolean;
  onSubmit: () => void;
  onClose: () => void;
  /** The form, for a check that moves to the first field with a problem. */
  form?: Ref<HTMLFormElement>;
  children: ReactNode;
}

/** A dialog with a form, which is submitted or canceled. */
export function FormDialog({
  title,
  size,
  submit,
  loading,
  disabled = false,
  onSubmit,
  onClose,
  form,
  children,
}: FormDialogProps) {
  return (
    <Modal opened onClose={onClose} title={title} {...(size && { size })}>
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit();
        }}
      >
        <Stack gap="sm">
          {children}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={loading} disabled={disabled}>
              {submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
