import { Button, Checkbox, Group, Modal, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { SourceInfo } from '../../contract/sources.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { Problem } from '../ui/states.tsx';
import { TypeToConfirm } from '../ui/type-to-confirm.tsx';
import { Viewer } from '../ui/viewer.tsx';
import { tableText } from './queries.ts';

interface RemoveSourceProps {
  source: SourceInfo;
  onClose: () => void;
}

/** Removes a source after its name has been typed, and shows the statements that remain to be run, if there are any. */
export function RemoveSource({ source, onClose }: RemoveSourceProps) {
  const { name, definition } = source;
  const navigate = useNavigate();
  const cache = useQueryClient();
  const [force, setForce] = useState(false);
  const leave = () => {
    void navigate({ to: '/sources' });
    void cache.invalidateQueries({ queryKey: ['sources'] });
  };
  const remove = useAct(() => reembed.sources.delete(name, { force }), {
    quiet: true,
    done: () => `The source ${name} is removed`,
    onDone: ({ sql }) => {
      if (sql.length === 0) leave();
    },
  });
  const left = remove.data?.sql ?? [];
  if (left.length > 0) return <Remaining sql={left} onClose={leave} />;
  return (
    <TypeToConfirm
      title={`Remove the source ${name}?`}
      name={name}
      confirm="Remove the source"
      keep="Keep it"
      loading={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text fz="sm">
        The triggers on {tableText(source)} and the recorded changes are removed. The index {definition.index} keeps its
        objects, but no longer follows the table.
      </Text>
      {remove.error && <Problem error={remove.error} title="The source was not removed" />}
      {(remove.error || force) && (
        <Checkbox
          label="Remove it even if the table’s database does not answer"
          checked={force}
          onChange={(event) => setForce(event.currentTarget.checked)}
        />
      )}
    </TypeToConfirm>
  );
}

function Remaining({ sql, onClose }: { sql: readonly string[]; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="The source is removed, but its triggers are not" size="lg">
      <Stack gap="sm">
        <Text fz="sm">The database of the table did not answer. Run these statements there:</Text>
        <Viewer value={sql.join(';\n')} what="the statements" />
        <Group justify="flex-end">
          <Button onClick={onClose}>Close</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
