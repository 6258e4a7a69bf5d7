import { Button, Group, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { objectIdSchema } from '../../contract/objects.ts';
import { useChecked } from '../indexes/form.ts';

/** Opens an object of an index by its whole id. */
export function FindObject({ index }: { index: string }) {
  const navigate = useNavigate();
  const [id, setId] = useState('');
  const { check, errorOf } = useChecked(objectIdSchema);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (id !== '' && check(id)) void navigate({ to: '/indexes/$index/object', params: { index }, search: { id } });
      }}
    >
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <TextInput
          aria-label="Id of an object"
          placeholder="Whole id"
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
          error={errorOf('')}
          spellCheck={false}
          dir="auto"
        />
        <Button type="submit" variant="default" disabled={id === ''}>
          Open
        </Button>
      </Group>
    </form>
  );
}
