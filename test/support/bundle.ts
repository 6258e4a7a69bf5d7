import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflows } from '../../src/runtime/worker.ts';

/** Tells the processes of the tests where the bundle is. */
const VARIABLE = 'WORKFLOW_BUNDLE_OF_TESTS';

/** Bundles the workflows once for all test files, each of which runs in a process of its own. */
export async function prepareBundle(file: string): Promise<void> {
  const { code } = await bundleWorkflows();
  await writeFile(file, code);
  process.env[VARIABLE] = file;
}

/** The bundle that was prepared, or a new one outside of a test run. */
export async function workflowBundle(): Promise<WorkflowBundle> {
  const file = process.env[VARIABLE];
  return file === undefined ? bundleWorkflows() : { code: await readFile(file, 'utf8') };
}

/** Workflows as they are without what hands on traces. */
export function bundleWithoutTraces(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

let encrypted: Promise<WorkflowBundle> | undefined;

/** The bundle for workers that encrypt; few tests need it, so it is made by those who do. */
export function encryptedBundle(): Promise<WorkflowBundle> {
  encrypted ??= bundleWorkflows({ encrypted: true });
  return encrypted;
}
