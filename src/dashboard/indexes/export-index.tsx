import { Text } from '@mantine/core';
import { useState } from 'react';
import { EXPORT_FORMATS, type ExportFormat } from '../../contract/export.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import { download } from '../api/download.ts';
import { useAct } from '../ui/act.ts';
import { Choice } from '../ui/choice.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { bytes, count } from '../ui/format.ts';
import { Problem } from '../ui/states.tsx';

const LABELS: Record<ExportFormat, string> = {
  ndjson: 'lines of JSON, one for each object',
  parquet: 'a Parquet file, one row for each object',
};

interface ExportIndexProps {
  index: IndexInfo;
  onClose: () => void;
}

/** Saves all objects of an index with their vectors as a file. */
export function ExportIndex({ index, onClose }: ExportIndexProps) {
  const { name, objects, estimated, bytes: size } = index;
  const [format, setFormat] = useState<ExportFormat>('parquet');
  const save = useAct(
    () => download(`/v1/indexes/${encodeURIComponent(name)}/export?format=${format}`, `${name}.${format}`),
    { quiet: true, done: () => `${name}.${format} is being saved by the browser`, onDone: onClose },
  );
  return (
    <FormDialog
      title={`Export ${name}`}
      submit="Save the file"
      loading={save.isPending}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <Text fz="sm">
        {count(objects, estimated)} objects with their payloads, metadata and vectors; they take {bytes(size)} in the
        database. “reembed import” reads the file.
      </Text>
      <Choice
        label="Format"
        options={EXPORT_FORMATS.map((value) => ({ value, label: LABELS[value] }))}
        value={format}
        onChange={setFormat}
      />
      <Text fz="xs" c="dimmed">
        A file that breaks off is incomplete. For many gigabytes, use “reembed export”, which continues where it broke
        off.
      </Text>
      {save.error && <Problem error={save.error} title="The export did not begin" />}
    </FormDialog>
  );
}
