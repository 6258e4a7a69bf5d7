import { Alert, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { z } from 'zod';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { StoredObject } from '../../contract/objects.ts';
import { upsertSchema } from '../../contract/task-bodies.ts';
import { reembed } from '../api/client.ts';
import { useChecked } from '../indexes/form.ts';
import { useAct } from '../ui/act.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { jsonText, readJson } from '../ui/json.ts';
import { Problem } from '../ui/states.tsx';
import { changedBy } from './queries.ts';
import { requireWritten, writtenAs } from './written.ts';

interface EditObjectProps {
  index: IndexInfo;
  object: StoredObject;
  onClose: () => void;
}

/** Replaces the payload and metadata of an object, unless someone else has changed it since the form was opened. */
export function EditObject({ index, object: given, onClose }: EditObjectProps) {
  // What was opened: the page keeps reading.
  const [object] = useState(given);
  const { id, payload: before } = object;
  const isText = typeof before === 'string' || before === null;
  const [payload, setPayload] = useState(isText ? (before ?? '') : jsonText(before));
  const [metadata, setMetadata] = useState(jsonText(object.metadata));
  const [problems, setProblems] = useState<{ payload?: string; metadata?: string }>({});
  const { check, errorOf, refuse } = useChecked(upsertSchema);
  const write = useAct((body: z.input<typeof upsertSchema>) => writeUnlessChanged(index, object, body), {
    quiet: true,
    done: () => 'The object is written',
    changes: changedBy(index.name, id),
    onDone: onClose,
  });
  const submit = () => {
    const read = isText ? { value: payload } : readJson(payload);
    const tags = readJson(metadata);
    setProblems({ payload: read.error, metadata: tags.error });
    if (read.error || tags.error) return;
    const body = bodyOf(index, object, read.value, tags.value);
    if (check(body)) write.mutate(body, { onError: refuse });
  };
  const errorAt = (field: 'payload' | 'metadata') => problems[field] ?? errorOf(`items.0.${field}`);
  return (
    <FormDialog
      title="Edit the object"
      size="lg"
      submit="Write the object"
      loading={write.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      {object.uri !== null && (
        <Alert color="yellow" variant="outline" role="status">
          The payload was loaded from <bdi className="wrap">{object.uri}</bdi>. This text replaces it, and the address
          is forgotten.
        </Alert>
      )}
      <Textarea
        label={isText ? 'Payload' : 'Payload (JSON)'}
        description={`It is embedded again and written to ${writtenAs(index)}.`}
        rows={12}
        value={payload}
        onChange={(event) => setPayload(event.currentTarget.value)}
        error={errorAt('payload')}
        dir="auto"
        spellCheck={false}
        data-autofocus
      />
      <Textarea
        label="Metadata (JSON)"
        rows={4}
        value={metadata}
        onChange={(event) => setMetadata(event.currentTarget.value)}
        error={errorAt('metadata')}
        spellCheck={false}
      />
      {write.error && <Problem error={write.error} title="The object is not written yet" />}
    </FormDialog>
  );
}

function bodyOf(index: IndexInfo, { id, version, originalId }: StoredObject, payload: unknown, metadata: unknown) {
  const item = {
    id,
    payload,
    metadata: metadata ?? {},
    ...(originalId !== null && { originalId }),
    ...(index.versioning === 'external' && { version: version + 1 }),
  };
  return { index: writtenAs(index), items: [item] };
}

async function writeUnlessChanged(index: IndexInfo, before: StoredObject, body: z.input<typeof upsertSchema>) {
  const now = await reembed.objects.get(index.name, before.id);
  if (now.version !== before.version) {
    throw new Error(
      `It was changed since this form was opened: version ${now.version} instead of ${before.version}. Close the form and look at it first.`,
    );
  }
  requireWritten(await reembed.tasks.upsert(body, { wait: true }));
}
