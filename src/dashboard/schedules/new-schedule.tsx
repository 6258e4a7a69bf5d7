import { Autocomplete, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { z } from 'zod';
import { jobNameSchema } from '../../contract/jobs.ts';
import { scheduleRequestSchema } from '../../contract/schedule-request.ts';
import { DEFAULT_KEY, OVERLAPS, overlapSchema, scheduleKeySchema } from '../../contract/schedules.ts';
import { reembed } from '../api/client.ts';
import { jobsQuery } from '../api/queries.ts';
import { useChecked } from '../indexes/form.ts';
import { useAct } from '../ui/act.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { readJson } from '../ui/json.ts';
import { Problem } from '../ui/states.tsx';

const draftSchema = z.object({ name: jobNameSchema, key: scheduleKeySchema, request: scheduleRequestSchema });

/** Creates a schedule of a job. */
export function NewSchedule({ onClose }: { onClose: () => void }) {
  const jobs = useQuery(jobsQuery).data?.jobs ?? [];
  const [name, setName] = useState('');
  const [key, setKey] = useState(DEFAULT_KEY);
  const [every, setEvery] = useState('1h');
  const [timeZone, setTimeZone] = useState('');
  const [overlap, setOverlap] = useState<string>('skip');
  const [input, setInput] = useState('');
  const [badInput, setBadInput] = useState<string>();
  const { check, refuse, errorOf } = useChecked(draftSchema);
  const create = useAct(
    (draft: z.input<typeof draftSchema>) => reembed.schedules.put(draft.name, draft.key, draft.request),
    { quiet: true, changes: [['schedules']], done: () => `${name} runs every ${every}`, onDone: onClose },
  );
  const submit = () => {
    const given = readJson(input);
    setBadInput(given.error);
    const times = { every, overlap: overlapSchema.parse(overlap), ifExists: 'refuse' as const };
    const request = { ...times, ...(timeZone && { timeZone }), ...(input.trim() && { input: given.value }) };
    const draft = { name, key, request };
    if (check(draft) && !given.error) create.mutate(draft, { onError: refuse });
  };
  return (
    <FormDialog
      title="New schedule"
      submit="Create the schedule"
      loading={create.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <Autocomplete
        size="xs"
        label="Job"
        description="The name of one of your tasks."
        data={jobs.map((job) => job.name)}
        value={name}
        onChange={setName}
        error={errorOf('name')}
        data-autofocus
      />
      <TextInput
        label="Key"
        description="Distinguishes the schedules of one job."
        value={key}
        onChange={(event) => setKey(event.currentTarget.value)}
        error={errorOf('key')}
      />
      <TextInput
        label="Every"
        description="An interval such as 90s or 1h, or a cron expression such as 0 9 * * MON-FRI."
        value={every}
        onChange={(event) => setEvery(event.currentTarget.value)}
        error={errorOf('request.every') ?? errorOf('every')}
      />
      <TextInput
        label="Time zone"
        description="For cron expressions; default: UTC."
        placeholder="Europe/Berlin"
        value={timeZone}
        onChange={(event) => setTimeZone(event.currentTarget.value)}
        error={errorOf('request.timeZone') ?? errorOf('timeZone')}
      />
      <NativeSelect
        size="xs"
        label="If the previous run is still active"
        data={OVERLAPS.map((value) => ({ value, label: value.replace('_', ' ') }))}
        value={overlap}
        onChange={(event) => setOverlap(event.currentTarget.value)}
      />
      <Textarea
        label="Input of each run (JSON)"
        rows={3}
        value={input}
        onChange={(event) => setInput(event.currentTarget.value)}
        error={badInput ?? errorOf('request.input')}
        spellCheck={false}
      />
      {create.error && <Problem error={create.error} title="The schedule was not created" />}
    </FormDialog>
  );
}
