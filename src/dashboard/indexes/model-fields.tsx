import { NativeSelect, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { type ModelRequest, withDefaults } from '../../contract/model-input.ts';
import type { ModelInput } from '../../contract/models.ts';
import { REMOTE_SCHEMAS } from '../../contract/provider-models.ts';

type Provider = ModelInput['provider'];
type Field = (typeof FIELDS)[number]['field'];

/** Text fields of providers that are called over the network. */
const FIELDS = [
  { field: 'baseUrl', label: 'Endpoint', placeholder: 'https://…' },
  { field: 'apiKeyEnv', label: 'Variable that holds the key', placeholder: 'MODEL_API_KEY' },
  { field: 'queryModel', label: 'Model for search texts', placeholder: 'the same' },
  { field: 'project', label: 'Google Cloud project', placeholder: 'my-project' },
  { field: 'location', label: 'Google Cloud location', placeholder: 'global' },
  { field: 'region', label: 'AWS region', placeholder: 'eu-central-1' },
] as const;

/** The draft of a model; empty fields use what is known of the model. */
export interface ModelDraft extends Record<Field, string> {
  provider: 'same' | Provider;
  name: string;
  dimensions: number | string;
}

export const emptyModel = (provider: ModelDraft['provider']): ModelDraft => ({
  ...{ provider, name: '', dimensions: '' },
  ...{ baseUrl: '', apiKeyEnv: '', queryModel: '', project: '', location: '', region: '' },
});

const fieldsOf = (provider: ModelDraft['provider']) => {
  const shape = REMOTE_SCHEMAS.find((schema) => schema.shape.provider.value === provider)?.shape;
  return shape ? FIELDS.filter(({ field }) => field in shape) : [];
};

/** Converts a draft to the model that is sent; undefined to keep the source's model. */
export function modelOf(draft: ModelDraft): ModelRequest | undefined {
  const { provider, name, dimensions } = draft;
  if (provider === 'same') return undefined;
  const given = dimensions === '' ? {} : { dimensions: Number(dimensions) };
  if (provider === 'hash') return { provider, ...given };
  if (provider === 'words') return { provider };
  if (provider === 'local') return { provider, ...(name && { name }) } as ModelRequest;
  const texts = fieldsOf(provider).map(({ field }) => [field, draft[field]] as const);
  // Missing fields are reported by the contract's schema.
  return { provider, name, ...given, ...Object.fromEntries(texts.filter(([, text]) => text !== '')) } as ModelRequest;
}

const PROVIDERS: { value: Provider; label: string }[] = [
  { value: 'hash', label: 'hash: built in, compares spelling' },
  { value: 'words', label: 'words: built in, compares the meaning of English words' },
  { value: 'local', label: 'local: runs on this machine, once installed; English' },
  { value: 'openai', label: 'openai: any OpenAI-compatible endpoint' },
  { value: 'azure', label: 'azure: Azure OpenAI' },
  { value: 'bedrock', label: 'bedrock: Amazon Bedrock' },
  { value: 'cohere', label: 'cohere' },
  { value: 'google', label: 'google: Gemini API' },
  { value: 'jina', label: 'jina: Jina AI' },
  { value: 'mistral', label: 'mistral: Mistral AI' },
  { value: 'ollama', label: 'ollama: on this machine or in your network' },
  { value: 'vertex', label: 'vertex: Google Vertex AI' },
  { value: 'voyage', label: 'voyage: Voyage AI' },
  { value: 'custom', label: 'custom: registered in your program' },
];

/** Describes what will be filled in for a well-known model. */
function filledIn(draft: ModelDraft): string | undefined {
  const { model, defaults } = withDefaults(modelOf(draft));
  if (defaults === null) return undefined;
  const values = Object.entries(model as object).filter(([field]) => defaults.fields.includes(field));
  return `Known of this model: ${values.map(([field, value]) => `${field} ${JSON.stringify(value)}`).join(', ')}`;
}

interface ModelFieldsProps {
  model: ModelDraft;
  onChange: (model: ModelDraft) => void;
  /** Name of the source's model, if it can be kept. */
  same?: string;
  errorOf: (path: string) => string | undefined;
}

export function ModelFields({ model, onChange, same, errorOf }: ModelFieldsProps) {
  const { provider, name, dimensions } = model;
  const known = filledIn(model);
  const set = (change: Partial<ModelDraft>) => onChange({ ...model, ...change });
  const asks = provider !== 'same' && provider !== 'hash' && provider !== 'words' && provider !== 'local';
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
        {fieldsOf(provider).map(({ field, label, placeholder }) => (
          <TextInput
            key={field}
            label={label}
            placeholder={placeholder}
            value={model[field]}
            onChange={(event) => set({ [field]: event.currentTarget.value })}
            error={errorOf(field)}
          />
        ))}
      </SimpleGrid>
      {known !== undefined && <Text size="xs">{known}</Text>}
    </Stack>
  );
}
