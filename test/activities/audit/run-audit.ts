import { MockActivityEnvironment } from '@temporalio/testing';
import type { ActivityDependencies } from '../../../src/activities/dependencies.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { type AuditState, addAuditCounts, auditSchema } from '../../../src/contract/audit.ts';
import type { CompareResult } from '../../../src/contract/audit-activities.ts';
import type { SyncPlace, SyncResult } from '../../../src/contract/source-activities.ts';
import { listFailed } from '../../../src/store/staging.ts';
import { uniqueName } from '../../store/builders.ts';

const context = new MockActivityEnvironment();

/** Runs a whole audit of a source with the real activities. */
export async function runAudit(
  deps: ActivityDependencies,
  source: string,
  { repair = false, onlyFailed = false, taskId = uniqueName('audit') } = {},
) {
  const { embed } = createActivities(deps);
  const request = auditSchema.parse({ source, repair });
  const state = (await context.run(embed.beginAudit, { taskId, request, onlyFailed })) as AuditState;
  for (let place = state.place as SyncPlace | null; place !== null; ) {
    const chunk = (await context.run(embed.compareChunk, {
      ...{ taskId, source, place, onlyFailed, repair, ratePerSecond: null, room: 1_000 - state.counts.listed },
    })) as CompareResult;
    addAuditCounts(state.counts, chunk.counts);
    place = chunk.place;
  }
  const listed = await listFailed(deps.db, taskId, { after: null, limit: 1_000 });
  return {
    taskId,
    total: state.total,
    counts: state.counts,
    listed: listed.map((one) => [one.objectId, one.reason]),
  };
}

/** Syncs all rows of a source to its index. */
export async function bringAll(deps: ActivityDependencies, source: string): Promise<void> {
  const { embed } = createActivities(deps);
  for (let place: SyncPlace | null = { phase: 'rows', after: null }; place !== null; ) {
    const request = { taskId: 'sync', source, place, ratePerSecond: null };
    ({ place } = (await context.run(embed.syncChunk, request)) as SyncResult);
  }
}
