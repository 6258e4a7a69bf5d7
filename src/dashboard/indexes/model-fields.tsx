import { Autocomplete, NativeSelect, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import type { z } from 'zod';
import { type ModelRequest, withDefaults } from '../../contract/model-input.ts';
import { hashModelSchema, type ModelInput } from '../../contract/models.ts';
import { REMOTE_SCHEMAS } from '../../contract/provider-models.ts';
import { knownDimensions, MODEL_NAMES } from './model-names.ts';

type Provider = ModelInput['provider'];
type Field = (typeof FIELDS)[number]['field'];

/** Text fields of providers that are called over the network. */
const FIELDS = [
  { field: 'baseUrl', label: 'Endpoint', description: 'Address of the API, up to and including its version' },
  { field: 'apiKeyEnv', label: 'Variable that holds the key', description: 'Set it for the API and the workers' },
  { field: 'queryModel', label: 'Model for search texts', description: 'Empty: the same model' },
  { field: 'project', label: 'Google Cloud project', description: 'The id of the project' },
  { field: 'location', label: 'Google Cloud location', description: 'For instance europe-west4' },
  { field: 'region', label: 'AWS region', description: 'For instance eu-central-1' },
] as const;

/** The draft of a model; empty fields use what is known of the model. */
export interface ModelDraft extends Record<Field, string> {
  provider: 'same' | Provider;
  name: string;
  dimensions: number | string;
}

const shapeOf = (provider: ModelDraft['provider']): Partial<Record<string, z.ZodType>> | undefined =>
  REMOTE_SCHEMAS.find((schema) => schema.shape.provider.value === provider)?.shape;

/** Returns what a provider uses for a field that is not given; empty if it has no default. */
function defaultOf(provider: ModelDraft['provider'], field: Field): string {
  const parsed = shapeOf(provider)?.[field]?.safeParse(undefined);
  return typeof parsed?.data === 'string' ? parsed.data : '';
}

/** Returns the draft of a provider's model with all defaults filled in. */
export function emptyModel(provider: ModelDraft['provider']): ModelDraft {
  const texts = Object.fromEntries(FIELDS.map(({ field }) => [field, defaultOf(provider, field)])) as Record<
    Field,
    string
  >;
  const name = provider === 'same' ? '' : (MODEL_NAMES[provider]?.[0] ?? '');
  const dimensions = provider === 'hash' ? HASH_DIMENSIONS : (knownDimensions(provider, name) ?? '');
  return { ...texts, provider, name, dimensions };
}

const HASH_DIMENSIONS = hashModelSchema.parse({ provider: 'hash' }).dimensions;

const fieldsOf = (provider: ModelDraft['provider']) => {
  const shape = shapeOf(provider);
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

/** What is filled in for well-known models, as people call it. */
const KNOWN: Readonly<Record<string, string>> = {
  dimensions: 'dimensions',
  windowTokens: 'max. tokens of a text',
  queryPrefix: 'before each search text',
  documentPrefix: 'before each stored text',
  sendRole: 'tell the model which texts are searches:',
  sendDimensions: 'ask for these dimensions:',
  normalize: 'scale the vectors to length 1:',
};

/** Describes what will be filled in for a well-known model. */
function filledIn(draft: ModelDraft): string | undefined {
  const { model, defaults } = withDefaults(modelOf(draft));
  if (defaults === null) return undefined;
  const values = Object.entries(model as object).filter(([field]) => defaults.fields.includes(field));
  if (values.length === 0) return undefined;
  const named = values.map(([field, value]) => `${KNOWN[field] ?? field} ${JSON.stringify(value)}`);
  return `Also filled in for this model: ${named.join(', ')}`;
}

/** Returns the dimensions for another name: those known of it, unless someone has entered others. */
function dimensionsFor({ provider, name, dimensions }: ModelDraft, next: string): number | string {
  const isEntered = dimensions !== '' && dimensions !== knownDimensions(provider, name);
  return isEntered ? dimensions : (knownDimensions(provider, next) ?? '');
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
  const names = provider === 'same' ? undefined : MODEL_NAMES[provider];
  const set = (change: Partial<ModelDraft>) => onChange({ ...model, ...change });
  const asks = provider !== 'same' && provider !== 'hash' && provider !== 'words' && provider !== 'local';
  return (
    <Stack gap="xs">
      <NativeSelect
        size="xs"
        label="Model"
        data={[...(same === undefined ? [] : [{ value: 'same', label: `the same as now (${same})` }]), ...PROVIDERS]}
        value={provider}
        onChange={(event) => onChange(emptyModel(event.currentTarget.value as ModelDraft['provider']))}
      />
      {(asks || provider === 'hash') && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
          {asks && (
            <Autocomplete
              size="xs"
              label="Name of the model"
              description={names ? 'A well-known one, or any other of the provider' : undefined}
              data={names && [...names]}
              value={name}
              onChange={(given) => set({ name: given, dimensions: dimensionsFor(model, given) })}
              error={errorOf('name')}
              spellCheck={false}
            />
          )}
          <NumberInput
            label="Dimensions"
            description={asks ? 'Numbers in each vector of the model' : undefined}
            allowDecimal={false}
            value={dimensions}
            onChange={(value) => set({ dimensions: value })}
            error={errorOf('dimensions')}
          />
          {fieldsOf(provider).map(({ field, label, description }) => (
            <TextInput
              key={field}
              label={label}
              description={description}
              value={model[field]}
              onChange={(event) => set({ [field]: event.currentTarget.value })}
              error={errorOf(field)}
              spellCheck={false}
            />
          ))}
        </SimpleGrid>
      )}
      {known !== undefined && <Text size="xs">{known}</Text>}
    </Stack>
  );
}
