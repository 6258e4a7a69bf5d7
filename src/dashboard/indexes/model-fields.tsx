import { NativeSelect, NumberInput, SimpleGrid, Stack, TextInput } from '@mantine/core';
import type { ModelInput } from '../../contract/models.ts';

/** The draft of a model; empty fields use the model's presets. */
export interface ModelDraft {
  provider: 'same' | 'hash' | 'words' | 'local' | 'openai' | 'custom';
  name: string;
  dimensions: number | string;
  baseUrl: string;
  apiKeyEnv: string;
}

export const emptyModel = (provider: ModelDraft['provider']): ModelDraft => ({
  provider,
  name: '',
  dimensions: '',
  baseUrl: '',
  apiKeyEnv: '',
});

/** Converts a draft to the model that is sent; undefined to keep the source's model. */
export function modelOf({ provider, name, dimensions, baseUrl, apiKeyEnv }: ModelDraft): ModelInput | undefined {
  if (provider === 'same') return undefined;
  const given = dimensions === '' ? {} : { dimensions: Number(dimensions) };
  if (provider === 'hash') return { provider, ...given };
  if (provider === 'words') return { provider };
  if (provider === 'local') return { provider, ...(name && { name }) };
  // Missing fields are reported by the contract's schema.
  if (provider === 'custom') return { provider, name, ...given } as ModelInput;
  return { provider, name, ...given, ...(baseUrl && { baseUrl }), ...(apiKeyEnv && { apiKeyEnv }) } as ModelInput;
}

const PROVIDERS = [
  { value: 'hash', label: 'hash: built in, compares spelling' },
  { value: 'words', label: 'words: built in, compares the meaning of English words' },
  { value: 'local', label: 'local: runs on this machine, once installed; English' },
  { value: 'openai', label: 'openai: any OpenAI-compatible endpoint' },
  { value: 'custom', label: 'custom: registered in your program' },
];

interface ModelFieldsProps {
  model: ModelDraft;
  onChange: (model: ModelDraft) => void;
  /** Name of the source's model, if it can be kept. */
  same?: string;
  errorOf: (path: string) => string | undefined;
}

export function ModelFields({ model, onChange, same, errorOf }: ModelFieldsProps) {
  const { provider, name, dimensions, baseUrl, apiKeyEnv } = model;
  const set = (change: Partial<ModelDraft>) => onChange({ ...model, ...change });
  const asks = provider === 'openai' || provider === 'custom';
  return (
    <Stack gap="xs">
      <NativeSelect
        size="xs"
        label="Model"
        data={[...(same === undefined ? [] : [{ value: 'same', label: `the same as now (${same})` }]), ...PROVIDERS]}
        value={provider}
        onChange={(event) => set({ provider: event.currentTarget.value as ModelDraft['provider'] })}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        {asks && (
          <TextInput
            label="Name of the model"
            placeholder={provider === 'openai' ? 'text-embedding-3-small' : undefined}
            value={name}
            onChange={(event) => set({ name: event.currentTarget.value })}
            error={errorOf('name')}
          />
        )}
        {(asks || provider === 'hash') && (
          <NumberInput
            label="Dimensions"
            placeholder={provider === 'hash' ? '256' : '1536'}
            min={1}
            max={16_000}
            allowDecimal={false}
            value={dimensions}
            onChange={(value) => set({ dimensions: value })}
            error={errorOf('dimensions')}
          />
        )}
        {provider === 'openai' && (
          <>
            <TextInput
              label="Endpoint"
              placeholder="https://api.openai.com/v1"
              value={baseUrl}
              onChange={(event) => set({ baseUrl: event.currentTarget.value })}
              error={errorOf('baseUrl')}
            />
            <TextInput
              label="Variable that holds the key"
              placeholder="OPENAI_API_KEY"
              value={apiKeyEnv}
              onChange={(event) => set({ apiKeyEnv: event.currentTarget.value })}
              error={errorOf('apiKeyEnv')}
            />
          </>
        )}
      </SimpleGrid>
    </Stack>
  );
}
