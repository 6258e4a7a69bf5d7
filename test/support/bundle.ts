import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflows } from '../../src/runtime/workflow-bundle.ts';
import { BUNDLE_VARIABLE } from './setup/variables.ts';

/** The bundle that was prepared, or a new one outside of a test run. */
export async function workflowBundle(): Promise<WorkflowBundle> {
  const file = process.env[BUNDLE_VARIABLE];
  return file === undefined ? bundleWorkflows() : { code: await readFile(file, 'utf8') };
}

/** Workflows without the interceptors for traces. */
export function bundleWithoutTraces(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

let encrypted: Promise<WorkflowBundle> | undefined;

/** The bundle for workers that encrypt; few tests need it, so these tests make it. */
export function encryptedBundle(): Promise<WorkflowBundle> {
  encrypted ??= bundleWorkflows({ encrypted: true });
  return encrypted;
}
