import { Autocomplete, SimpleGrid, Text, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schedule } from '../../client/client.ts';
import { OVERLAPS, type Overlap, type ScheduledType } from '../../contract/schedules.ts';
import { reembed } from '../api/client.ts';
import { jobsQuery } from '../api/queries.ts';
import { AuditFields } from '../audits/audit-fields.tsx';
import { useChecked } from '../indexes/form.ts';
import { SourceField } from '../sources/source-field.tsx';
import { useAct } from '../ui/act.ts';
import { Choice } from '../ui/choice.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Problem } from '../ui/states.tsx';
import { type NamedSchedule, namedScheduleSchema, type ScheduleDraft, scheduleDraft, scheduleOf } from './draft.ts';

const TYPES: { value: ScheduledType; label: string }[] = [
  { value: 'job', label: 'one of your jobs' },
  { value: 'audit', label: 'an audit' },
  { value: 'sync', label: 'a sync of a source' },
];
const OVERLAP_NAMES: Record<Overlap, string> = {
  skip: 'skip the new run',
  buffer_one: 'start one afterwards',
  buffer_all: 'start all of them afterwards',
  allow_all: 'start it at once beside it',
  cancel_other: 'cancel the previous run, then start',
  terminate_other: 'terminate the previous run, then start',
};

interface ScheduleDialogProps {
  /** The schedule to change; missing for a new one. */
  schedule?: Schedule;
  onClose: () => void;
}

/** Creates or changes a schedule of a job, an audit or a sync. */
export function ScheduleDialog({ schedule, onClose }: ScheduleDialogProps) {
  const [draft, setDraft] = useState(() => scheduleDraft(schedule));
  const [badInput, setBadInput] = useState<string>();
  const { check, refuse, errorOf: errorAt } = useChecked(namedScheduleSchema);
  const errorOf = (path: string) => errorAt(path) ?? errorAt(`request.${path}`);
  const put = useAct(({ name, key, request }: NamedSchedule) => reembed.schedules.put(name, key, request), {
    quiet: true,
    changes: [['schedules']],
    done: ({ name, every }) => `${name} runs every ${every}`,
    onDone: onClose,
  });
  const submit = () => {
    const { named, problem } = scheduleOf(draft, schedule);
    setBadInput(problem);
    if (check(named) && problem === undefined) put.mutate(named, { onError: refuse });
  };
  const fields = { draft, onChange: setDraft, errorOf };
  return (
    <FormDialog
      title={schedule ? `Change the schedule ${schedule.name}, ${schedule.key}` : 'New schedule'}
      submit={schedule ? 'Change the schedule' : 'Create the schedule'}
      loading={put.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      {schedule?.declared && (
        <Text fz="xs" c="dimmed">
          The code of your workers declares this schedule: their next start sets it back.
        </Text>
      )}
      {!schedule && <WhoFields {...fields} />}
      <TimeFields {...fields} />
      <RunFields {...fields} badInput={badInput} />
      {put.error && (
        <Problem error={put.error} title={schedule ? 'The schedule was not changed' : 'The schedule was not created'} />
      )}
    </FormDialog>
  );
}

interface FieldsProps {
  draft: ScheduleDraft;
  onChange: (draft: ScheduleDraft) => void;
  errorOf: (path: string) => string | undefined;
}

/** What a new schedule runs, and its name. */
function WhoFields({ draft, onChange, errorOf }: FieldsProps) {
  const jobs = useQuery(jobsQuery).data?.jobs ?? [];
  const set = (change: Partial<ScheduleDraft>) => onChange({ ...draft, ...change });
  const isJob = draft.type === 'job';
  return (
    <>
      <Choice label="Runs" options={TYPES} value={draft.type} onChange={(type) => set({ type })} />
      <SimpleGrid cols={2} spacing="sm">
        <Autocomplete
          size="xs"
          label={isJob ? 'Job' : 'Name'}
          description={isJob ? 'The name of one of your jobs.' : 'Any name for the schedule.'}
          data={isJob ? jobs.map((job) => job.name) : []}
          value={draft.name}
          onChange={(name) => set({ name })}
          error={errorOf('name')}
          data-autofocus
        />
        <TextInput
          label="Key"
          description="Distinguishes schedules of one name."
          value={draft.key}
          onChange={(event) => set({ key: event.currentTarget.value })}
          error={errorOf('key')}
        />
      </SimpleGrid>
    </>
  );
}

function TimeFields({ draft, onChange, errorOf }: FieldsProps) {
  const text = (field: 'every' | 'timeZone' | 'jitter' | 'catchUp', label: string, description: string) => (
    <TextInput
      label={label}
      description={description}
      value={draft[field]}
      onChange={(event) => onChange({ ...draft, [field]: event.currentTarget.value })}
      error={errorOf(field)}
      spellCheck={false}
    />
  );
  return (
    <>
      {text('every', 'Every', 'An interval such as 90s or 1h, or a cron expression such as 0 9 * * MON-FRI.')}
      {text('timeZone', 'Time zone', 'For cron expressions, such as Europe/Berlin; empty: UTC.')}
      <Choice
        label="If the previous run is still active"
        options={OVERLAPS.map((value) => ({ value, label: OVERLAP_NAMES[value] }))}
        value={draft.overlap}
        onChange={(overlap) => onChange({ ...draft, overlap })}
      />
      <SimpleGrid cols={2} spacing="sm">
        {text('jitter', 'Random delay', 'Up to this, such as 30s.')}
        {text('catchUp', 'Make up for missed runs', 'That are at most this late.')}
      </SimpleGrid>
    </>
  );
}

/** What each run gets. */
function RunFields({ draft, onChange, errorOf, badInput }: FieldsProps & { badInput: string | undefined }) {
  const errorOfInput = (path: string) => errorOf(`input.${path}`);
  if (draft.type === 'audit') {
    return (
      <AuditFields draft={draft.audit} onChange={(audit) => onChange({ ...draft, audit })} errorOf={errorOfInput} />
    );
  }
  if (draft.type === 'sync') {
    return (
      <SourceField
        value={draft.sync.source}
        onChange={(source) => onChange({ ...draft, sync: { ...draft.sync, source } })}
        error={errorOfInput('source')}
      />
    );
  }
  return (
    <Textarea
      label="Input of each run (JSON)"
      description="Leave it empty for a job without input."
      rows={4}
      value={draft.input}
      onChange={(event) => onChange({ ...draft, input: event.currentTarget.value })}
      error={badInput ?? errorOf('input')}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      spellCheck={false}
    />
  );
}
