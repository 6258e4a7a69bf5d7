import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { type BundleOptions, bundleName, bundleWorkflows } from '../../src/runtime/workflow-bundle.ts';
import { BUILD_VARIABLE } from './setup/variables.ts';

/** The bundle of the build of the run, or a new one outside of a test run. */
export async function workflowBundle(options: BundleOptions = {}): Promise<WorkflowBundle> {
  const built = process.env[BUILD_VARIABLE];
  if (built === undefined) return bundleWorkflows(options);
  return { code: await readFile(path.join(built, 'dist/workflows', bundleName(options)), 'utf8') };
}

/** Workflows without the interceptors for traces. */
export function bundleWithoutTraces(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}
