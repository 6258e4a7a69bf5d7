import { createRequire } from 'node:module';
import { ReembedError } from '../../contract/errors.ts';
import type { RemoteProvider } from '../../contract/provider-models.ts';

/** The packages of providers that are not part of reembed, with the major versions that fit its AI SDK. */
const PACKAGES = {
  azure: ['@ai-sdk/azure', 3],
  cohere: ['@ai-sdk/cohere', 3],
  google: ['@ai-sdk/google', 3],
  vertex: ['@ai-sdk/google-vertex', 4],
  bedrock: ['@ai-sdk/amazon-bedrock', 4],
  mistral: ['@ai-sdk/mistral', 3],
} as const satisfies Partial<Record<RemoteProvider, readonly [name: string, major: number]>>;

const { resolve } = createRequire(import.meta.url);

/** Whether this process can load a package. */
export function hasPackage(name: string): boolean {
  try {
    resolve(name);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code !== 'MODULE_NOT_FOUND';
  }
}

/** Checks that the package of a provider is installed. Throws `ModelNotFound` with the command that installs it. */
export function requirePackage(provider: RemoteProvider, has: (name: string) => boolean = hasPackage): void {
  const [name, major] = (PACKAGES as Partial<Record<RemoteProvider, readonly [string, number]>>)[provider] ?? [];
  if (name === undefined || has(name)) return;
  const message = `The provider "${provider}" needs the package ${name} in the API and the workers: npm install ${name}@${major}`;
  throw new ReembedError('ModelNotFound', message, { issues: [{ path: 'provider', message }] });
}
