import { proxyActivities } from '@temporalio/workflow';
import type { MinimalActivities } from './activity.ts';

const { embedAndWrite } = proxyActivities<MinimalActivities>({ startToCloseTimeout: '1 minute' });

/** The minimum for a durable write: one workflow with one activity. */
export async function minimal(id: string, text: string): Promise<void> {
  await embedAndWrite(id, text);
}
