import type { Client } from '@temporalio/client';
import { callTemporal } from './call.ts';

/** Returns for how many seconds Temporal keeps ended tasks. Error: `TemporalUnavailable`. */
export async function retentionSeconds(client: Client): Promise<number> {
  const { namespace } = client.options;
  const described = await callTemporal(client, namespace, () =>
    client.workflowService.describeNamespace({ namespace }),
  );
  return Number(described.config?.workflowExecutionRetentionTtl?.seconds ?? 0);
}
