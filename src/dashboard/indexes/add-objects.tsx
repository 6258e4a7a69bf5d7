import { Button, Group, Text, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { IndexInfo } from '../../contract/indexes.ts';
import { upsertSchema } from '../../contract/task-bodies.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { plural } from '../ui/format.ts';
import { lineProblem } from '../ui/lines.ts';
import { useOpenTask } from '../ui/open-task.ts';
import { Problem } from '../ui/states.tsx';
import { TextFile } from '../ui/text-file.tsx';
import { EXAMPLE } from './example.ts';
import { useChecked } from './form.ts';
import { itemsOf } from './items-of.ts';

interface AddObjectsProps {
  /** Name of an index or an alias. */
  name: string;
  index: IndexInfo;
  onClose: () => void;
}

/** Writes objects that are typed, pasted or read from a file, one per line. */
export function AddObjects({ name, index, onClose }: AddObjectsProps) {
  const openTask = useOpenTask();
  const [text, setText] = useState('');
  const { check, errorOf, errorBelow } = useChecked(upsertSchema);
  const [fileProblem, setFileProblem] = useState<string | null>(null);
  const { items, problem } = itemsOf(text, index);
  const write = useAct(reembed.tasks.upsert, {
    quiet: true,
    changes: [['indexes'], ['objects', index.name], ['counts']],
    onDone: (task) => {
      onClose();
      openTask(task);
    },
  });
  const submit = () => {
    if (problem !== null) return;
    const body = { index: name, items };
    if (check(body)) write.mutate(body);
  };
  return (
    <FormDialog
      title={`Add objects to ${name}`}
      size="lg"
      submit={`Write ${plural(items.length, 'object')}`}
      loading={write.isPending}
      disabled={items.length === 0 || problem !== null}
      onSubmit={submit}
      onClose={onClose}
    >
      <Textarea
        label="Objects"
        description='One per line: a text, which gets its line number as the id (line-1 for the first line) and replaces an object with this id, or JSON such as {"id": "a", "payload": "a lion", "metadata": {"lang": "en"}}'
        rows={12}
        value={text}
        onChange={(event) => {
          setFileProblem(null);
          setText(event.currentTarget.value);
        }}
        error={fileProblem ?? problem ?? errorOf('items') ?? lineProblem('object', errorBelow('items'))}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        spellCheck={false}
        data-autofocus
      />
      <Group gap="xs">
        <Button variant="default" onClick={() => setText(EXAMPLE)}>
          Fill in an example
        </Button>
        <TextFile onText={setText} onProblem={setFileProblem} command="reembed upsert" />
        <Text fz="xs" c="dimmed" role="status">
          {plural(items.length, 'object')}
        </Text>
      </Group>
      {write.error && <Problem error={write.error} title="Nothing was written" />}
    </FormDialog>
  );
}
