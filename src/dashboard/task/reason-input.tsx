import { TextInput } from '@mantine/core';

/** The reason of a call, which the task keeps. */
export function ReasonInput({ value, onChange }: { value: string; onChange: (reason: string) => void }) {
  return (
    <TextInput
      label="Reason"
      description="Stored with the task. Optional."
      value={value}
      maxLength={1_000}
      onChange={(event) => onChange(event.currentTarget.value)}
      data-autofocus
    />
  );
}
