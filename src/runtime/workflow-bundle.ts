import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';
import { FAILURE_CONVERTER_PATH } from '../temporal/encryption/data-converter.ts';

export interface BundleOptions {
  /** For workers that encrypt payloads. Default: false. */
  encrypted?: boolean;
}

const isSource = import.meta.url.endsWith('.ts');
const FOLDER = fileURLToPath(new URL('../workflows/', import.meta.url));

/**
 * Returns the workflow code of the built package, which was bundled when the package was built: bundling takes seconds
 * of a processor and much memory at each start. Bundles it if it runs from the sources, or if the installed Temporal SDK
 * is not the one of the build.
 */
export async function readBundle(options: BundleOptions = {}): Promise<WorkflowBundle> {
  if (isSource) return bundleWorkflows(options);
  try {
    return { code: await readFile(path.join(FOLDER, bundleName(options)), 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return bundleWorkflows(options);
  }
}

/** Bundles the workflow code, for encrypted or plain payloads. */
export async function bundleWorkflows({ encrypted = false }: BundleOptions = {}): Promise<WorkflowBundle> {
  const extension = isSource ? 'ts' : 'js';
  return bundleWorkflowCode({
    workflowsPath: path.join(FOLDER, `index.${extension}`),
    workflowInterceptorModules: [path.join(FOLDER, `trace-context.${extension}`)],
    failureConverterPath: encrypted ? FAILURE_CONVERTER_PATH : undefined,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
}

/** Writes both bundles into the workflows' folder of a build. */
export async function writeBundles(folder: string): Promise<void> {
  for (const encrypted of [false, true]) {
    const { code } = (await bundleWorkflows({ encrypted })) as { code: string };
    await writeFile(path.join(folder, bundleName({ encrypted })), code);
  }
}

/** Returns the name of the file of a bundle. It has the version of the SDK in it, which must be that of the worker. */
export function bundleName({ encrypted = false }: BundleOptions): string {
  const { version } = createRequire(import.meta.url)('@temporalio/workflow/package.json') as { version: string };
  return `bundle-${version}${encrypted ? '-encrypted' : ''}.cjs`;
}
