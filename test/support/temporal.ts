import './quiet.ts';
import { randomUUID } from 'node:crypto';
import { defineSearchAttributeKey } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { SEARCH_ATTRIBUTES } from '../../src/contract/names.ts';
import { findServer } from '../../src/runtime/servers/find.ts';
import { TEMPORAL_VARIABLE } from './setup/variables.ts';

/** Numbers of the types of search attributes on the wire. */
const TYPE_NUMBERS = { TEXT: 1, KEYWORD: 2, INT: 3, DOUBLE: 4, BOOL: 5, DATETIME: 6, KEYWORD_LIST: 7 } as const;
const say = (line: string) => process.stderr.write(`${line}\n`);

export interface TemporalOptions {
  /** Settings of the server, which then serves only this file. */
  dynamicConfig?: string[];
  /** A server of its own, to stop it or to look at everything on it. Default: a namespace on the server of the run. */
  alone?: boolean;
}

/**
 * A real Temporal server: a new namespace of the dev server, or the server whose clock runs ahead while nothing
 * happens, which each file starts, since its clock is that of all its workflows.
 */
export async function startTemporal(
  kind: 'dev' | 'time-skipping',
  options: TemporalOptions = {},
): Promise<TestWorkflowEnvironment> {
  if (kind === 'time-skipping') return startTimeSkipping();
  const address = process.env[TEMPORAL_VARIABLE];
  if (address === undefined || options.alone || options.dynamicConfig) return startDevServer(options.dynamicConfig);
  const namespace = `test-${randomUUID()}`;
  const environment = await TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
  await environment.connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await addSearchAttributes(environment, Object.entries(SEARCH_ATTRIBUTES));
  return environment;
}

async function startDevServer(dynamicConfig: string[] = []): Promise<TestWorkflowEnvironment> {
  const path = await findServer('temporal-cli', { env: process.env, say });
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      searchAttributes: Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => defineSearchAttributeKey(name, type)),
      extraArgs: [
        'history.transferProcessorMaxPollRPS=2000',
        'history.timerProcessorMaxTimeShift="1ms"',
        ...dynamicConfig,
      ].flatMap((value) => ['--dynamic-config-value', value]),
    },
  });
}

async function startTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const path = await findServer('temporal-test-server', { env: process.env, say });
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  // It takes them one at a time.
  for (const attribute of Object.entries(SEARCH_ATTRIBUTES)) await addSearchAttributes(environment, [attribute]);
  return environment;
}

async function addSearchAttributes(
  { connection, namespace = 'default' }: TestWorkflowEnvironment,
  attributes: [name: string, type: keyof typeof TYPE_NUMBERS][],
): Promise<void> {
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(attributes.map(([name, type]) => [name, TYPE_NUMBERS[type]])),
  });
}
