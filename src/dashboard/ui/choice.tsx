import { NativeSelect } from '@mantine/core';

export interface Option<Value extends string> {
  value: Value;
  label: string;
  disabled?: boolean;
}

interface ChoiceProps<Value extends string> {
  label: string;
  description?: string;
  options: readonly Option<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  error?: string | undefined;
  autoFocus?: boolean;
}

/** A labelled list of which one is chosen. */
export function Choice<Value extends string>({ options, onChange, autoFocus, ...props }: ChoiceProps<Value>) {
  return (
    <NativeSelect
      size="xs"
      {...props}
      data={options.map((option) => ({ ...option }))}
      onChange={(event) => {
        const { value } = event.currentTarget;
        const chosen = options.find((option) => option.value === value);
        if (chosen) onChange(chosen.value);
      }}
      data-autofocus={autoFocus || undefined}
    />
  );
}
