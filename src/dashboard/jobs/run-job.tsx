import { Autocomplete, SimpleGrid, Text, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { JobInfo, JobRun } from '../../client/client.ts';
import { namedJobRunSchema } from '../../contract/jobs.ts';
import { reembed } from '../api/client.ts';
import { jobsQuery } from '../api/queries.ts';
import { useChecked } from '../indexes/form.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { jsonText, readJson } from '../ui/json.ts';
import { useStartTask } from '../ui/start-task.ts';
import { Problem } from '../ui/states.tsx';
import { Viewer } from '../ui/viewer.tsx';
import { exampleOf } from './example.ts';

interface RunJobProps {
  /** The job to run; missing to type its name. */
  name?: string | undefined;
  /** What is filled in; default: an example by the schema of the job. */
  given?: { input: unknown; options: Readonly<Record<string, unknown>> };
  onClose: () => void;
}

/** Runs a job with an input and options, which the API checks before it accepts the job. */
export function RunJob({ name: fixed, given, onClose }: RunJobProps) {
  const jobs = useQuery(jobsQuery).data?.jobs ?? [];
  const [name, setName] = useState(fixed ?? '');
  const [input, setInput] = useState(() =>
    given ? textOf(given.input) : exampleText(jobs.find((one) => one.name === fixed)),
  );
  const [inputError, setInputError] = useState<string>();
  const [options, setOptions] = useState(() => optionsOf(given?.options));
  const { check, refuse, errorOf } = useChecked(namedJobRunSchema);
  const job = jobs.find((one) => one.name === name);
  const run = useStartTask((body: JobRun) => reembed.jobs.run(name, body), onClose);
  const submit = () => {
    const read = readJson(input);
    setInputError(read.error);
    if (read.error !== undefined) return;
    const body = bodyOf(options, read.value);
    if (check({ name, ...body })) run.mutate(body, { onError: refuse });
  };
  const option = (field: keyof typeof options, label: string, description: string) => (
    <TextInput
      label={label}
      description={description}
      value={options[field]}
      onChange={(event) => setOptions({ ...options, [field]: event.currentTarget.value })}
      error={errorOf(field)}
      spellCheck={false}
    />
  );
  return (
    <FormDialog
      title={fixed === undefined ? 'Run a job' : `Run ${fixed}`}
      size="lg"
      submit="Run the job"
      loading={run.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      {fixed === undefined && (
        <Autocomplete
          size="xs"
          label="Job"
          data={jobs.map((one) => one.name)}
          value={name}
          onChange={setName}
          error={errorOf('name')}
          data-autofocus
        />
      )}
      <Textarea
        label="Input (JSON)"
        description="Leave it empty for a job without input."
        rows={6}
        value={input}
        onChange={(event) => setInput(event.currentTarget.value)}
        error={inputError ?? errorOf('input')}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        spellCheck={false}
      />
      {job?.inputSchema && (
        <details>
          <summary style={{ cursor: 'pointer', fontSize: 'var(--mantine-font-size-xs)' }}>Schema of the input</summary>
          <Viewer value={job.inputSchema as never} what="the schema" />
        </details>
      )}
      <Text fz="xs" c="dimmed">
        Options, which replace those of the definition:
      </Text>
      <SimpleGrid cols={2} spacing="sm">
        {option('delay', 'Delay', 'Such as 90s or 2d.')}
        {option('queue', 'Queue', 'Whose workers run it.')}
        {option('key', 'Key', 'Jobs with the same key are duplicates.')}
        {option('maxAttempts', 'Attempts', 'From 1 to 100.')}
      </SimpleGrid>
      {run.error && <Problem error={run.error} title="The job was not started" />}
    </FormDialog>
  );
}

function bodyOf({ maxAttempts, ...texts }: Record<string, string>, input: unknown): JobRun {
  const given = Object.entries(texts).filter(([, value]) => value !== '');
  const attempts = maxAttempts === '' ? {} : { maxAttempts: Number(maxAttempts) };
  return { ...Object.fromEntries(given), ...attempts, ...(input !== undefined && { input }) };
}

/** Returns the options of the form; a delay counts only once. */
function optionsOf({ queue, key, maxAttempts }: Readonly<Record<string, unknown>> = {}) {
  const text = (value: unknown) => (value === undefined ? '' : String(value));
  return { delay: '', queue: text(queue), key: text(key), maxAttempts: text(maxAttempts) };
}

const textOf = (input: unknown) => (input === undefined ? '' : jsonText(input));

const exampleText = (job: JobInfo | undefined) => {
  const example = job?.inputSchema ? exampleOf(job.inputSchema) : undefined;
  return example === undefined ? '' : jsonText(example);
};
