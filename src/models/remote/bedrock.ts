import { ReembedError } from '../../contract/errors.ts';
import type { RemoteModelConfig } from '../../contract/provider-models.ts';
import { dimensionsOf, isQuery, type ProviderRow, type RemoteCall } from './provider-row.ts';

type Family = 'cohere' | 'nova' | 'titan';

/** Dimensions that the SDK accepts for each family. */
const DIMENSIONS: Readonly<Record<Family, readonly number[]>> = {
  cohere: [256, 512, 1024, 1536],
  nova: [256, 384, 1024, 3072],
  titan: [256, 512, 1024],
};

/** The names of Amazon's variables, whose values must not appear in messages. */
export const AWS_SECRETS = ['AWS_BEARER_TOKEN_BEDROCK', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;

function familyOf({ name }: { name: string }): Family {
  if (name.includes('cohere.embed-')) return 'cohere';
  return name.includes('amazon.nova-') ? 'nova' : 'titan';
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html */
export const bedrock: ProviderRow<Extract<RemoteModelConfig, { provider: 'bedrock' }>> = {
  isOpenaiFormat: false,
  maxTexts: (config) => (familyOf(config) === 'cohere' ? 96 : 1),
  allowedDimensions: (config) => DIMENSIONS[familyOf(config)],
  async load(config, { baseUrl, env, name, purpose, fetch }) {
    const { createAmazonBedrock } = await import('@ai-sdk/amazon-bedrock');
    const provider = createAmazonBedrock({ baseURL: baseUrl, region: config.region, ...awsKeys(env), fetch });
    const options = optionsOf(familyOf(config), isQuery(purpose), dimensionsOf(config));
    return { model: provider.embeddingModel(name), options: { bedrock: options } };
  },
};

function optionsOf(family: Family, query: boolean, dimensions: number | undefined): Record<string, string | number> {
  switch (family) {
    case 'cohere': {
      const inputType = query ? 'search_query' : 'search_document';
      return { inputType, truncate: 'NONE', ...(dimensions && { outputDimension: dimensions }) };
    }
    case 'nova': {
      const embeddingPurpose = query ? 'TEXT_RETRIEVAL' : 'GENERIC_INDEX';
      return { embeddingPurpose, truncate: 'NONE', ...(dimensions && { embeddingDimension: dimensions }) };
    }
    case 'titan':
      return { ...(dimensions && { dimensions }) };
  }
}

function awsKeys(env: RemoteCall['env']) {
  const read = (name: string) => env[name]?.trim() || undefined;
  const bearer = read('AWS_BEARER_TOKEN_BEDROCK');
  if (bearer) return { apiKey: bearer };
  const [accessKeyId, secretAccessKey] = [read('AWS_ACCESS_KEY_ID'), read('AWS_SECRET_ACCESS_KEY')];
  if (!accessKeyId || !secretAccessKey) {
    const message = 'AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, must be set for Bedrock';
    throw new ReembedError('ModelUnauthorized', message);
  }
  const sessionToken = read('AWS_SESSION_TOKEN');
  // An empty key keeps the SDK from taking that of its own variable.
  return { apiKey: '', accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}
