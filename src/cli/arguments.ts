import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { durationSchema } from '../contract/duration-schema.ts';
import { durationMs } from '../contract/durations.ts';
import { ReembedError } from '../contract/errors.ts';
import { fieldIssues } from '../contract/issues.ts';
import { fieldPath, type JsonTextError } from '../contract/json-text/error.ts';
import { parseJsonText } from '../contract/json-text/parse.ts';
import { type ModelRequest, modelInputSchema } from '../contract/model-input.ts';
import { REMOTE_PROVIDERS } from '../contract/provider-models.ts';
import { UsageError } from './errors.ts';

/** Formats the examples of a command's help. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}\n`).join('')}`;
}

/** Parses an option that is a whole number. */
export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** Parses an option that is a number. */
export function anyNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** Parses an option that is a share. */
export function share(text: string): number {
  const value = anyNumber(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return value;
}

const momentText = z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date()]);

/** Parses an option that is a time: ISO 8601, or an age. */
export function moment(text: string): Date {
  if (durationSchema.safeParse(text).success) return new Date(Date.now() - durationMs(text));
  if (momentText.safeParse(text).success) return new Date(text);
  throw new InvalidArgumentError('It must be a time such as 2026-01-31T12:00:00Z, or an age such as 24h.');
}

/** Parses an option that is JSON. */
export function json(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch (error) {
    const { message, path } = error as JsonTextError;
    throw new InvalidArgumentError(path.length > 0 ? `${fieldPath(path)} ${message}.` : `It ${message}.`);
  }
}

/** Collects the values of a repeatable option. */
export function several(text: string, before: string[] = []): string[] {
  return [...before, text];
}

export interface ModelOptions {
  model?: unknown;
  provider?: string;
  name?: string;
  dimensions?: number;
  baseUrl?: string;
  apiKeyEnv?: string;
  queryModel?: string;
  project?: string;
  location?: string;
  region?: string;
  extraBody?: unknown;
}

const PROVIDER_NAMES = ['hash', 'words', 'local', ...REMOTE_PROVIDERS, 'custom'];

/** Adds the options that name an embedding model. */
export function withModel(command: Command): Command {
  return command
    .option('--provider <provider>', `provider of the model: ${PROVIDER_NAMES.join(', ')}`)
    .option('--name <name>', 'name of the model at its provider')
    .option('--dimensions <count>', 'dimensions of the vectors; default: as known for the model', wholeNumber)
    .option('--base-url <url>', 'endpoint of the model; for openai up to and including /v1')
    .option('--api-key-env <variable>', 'environment variable of the workers and the API with the key')
    .option('--query-model <name>', 'model for search texts, of the same family')
    .option('--project <id>', 'Google Cloud project of a vertex model')
    .option('--location <location>', 'Google Cloud location of a vertex model')
    .option('--region <region>', 'AWS region of a bedrock model')
    .option('--extra-body <json>', 'more fields of each request to the model, as JSON', json)
    .option('--model <json>', 'the model as JSON, instead of the options above', json);
}

/**
 * Returns the model from the options, if any, as it was asked for: the API fills in what is known of it. @throws ReembedError `InvalidInput`
 * with each invalid field.
 */
export function modelFrom(options: ModelOptions): ModelRequest | undefined {
  const { provider, name, dimensions, baseUrl, apiKeyEnv, queryModel, project, location, region, extraBody } = options;
  const single = Object.entries({
    ...{ provider, name, dimensions, baseUrl, apiKeyEnv, queryModel, project, location, region, extraBody },
  }).filter(([, value]) => value !== undefined);
  if (options.model === undefined && single.length === 0) return undefined;
  if (options.model !== undefined && single.length > 0) {
    throw new UsageError('specify the model either with --model or with --provider and its other options');
  }
  if (options.model === undefined && provider === undefined) throw new UsageError('--provider is required');
  const asked = options.model ?? Object.fromEntries(single);
  const parsed = modelInputSchema.safeParse(asked);
  if (parsed.success) return asked as ModelRequest;
  const issues = fieldIssues(parsed.error, ['model']);
  throw new ReembedError('InvalidInput', 'the model is not valid', { issues });
}
