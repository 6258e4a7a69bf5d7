import { z } from 'zod';
import type { Schedule } from '../../client/client.ts';
import type { AuditRequest } from '../../contract/audit.ts';
import { jobNameSchema } from '../../contract/jobs.ts';
import { type ScheduleRequest, scheduleRequestSchema } from '../../contract/schedule-request.ts';
import { DEFAULT_KEY, type Overlap, type ScheduledType, scheduleKeySchema } from '../../contract/schedules.ts';
import type { SyncRequest } from '../../contract/sync-body.ts';
import { type AuditDraft, auditDraft, auditOf } from '../audits/audit-fields.tsx';
import { jsonText, readJson } from '../ui/json.ts';

/** What is checked before a schedule is sent. */
export const namedScheduleSchema = z.object({
  name: jobNameSchema,
  key: scheduleKeySchema,
  request: scheduleRequestSchema,
});
export type NamedSchedule = z.input<typeof namedScheduleSchema>;

/** The draft of a schedule; empty fields use the defaults. */
export interface ScheduleDraft {
  name: string;
  key: string;
  type: ScheduledType;
  every: string;
  timeZone: string;
  overlap: Overlap;
  jitter: string;
  catchUp: string;
  /** Input of a job, as JSON. */
  input: string;
  audit: AuditDraft;
  sync: SyncRequest;
}

const DEFAULTS = scheduleRequestSchema.parse({ every: '1h' });

/** Returns the draft of a new schedule, or of one that exists. */
export function scheduleDraft(schedule?: Schedule): ScheduleDraft {
  const { type = 'job', input } = schedule ?? {};
  const body = (type === 'job' ? {} : (input ?? {})) as Partial<AuditRequest>;
  return {
    name: schedule?.name ?? '',
    key: schedule?.key ?? DEFAULT_KEY,
    type,
    every: schedule ? (schedule.every ?? '') : '1h',
    timeZone: schedule?.timeZone ?? '',
    overlap: schedule?.overlap ?? DEFAULTS.overlap,
    jitter: schedule?.jitter ?? String(DEFAULTS.jitter),
    catchUp: schedule?.catchUp ?? String(DEFAULTS.catchUp),
    input: type === 'job' && input !== undefined ? jsonText(input) : '',
    audit: auditDraft(type === 'audit' ? body : {}),
    sync: { source: '', ...(type === 'sync' && body) },
  };
}

/**
 * Converts a draft to the schedule that is sent. What the form does not show stays as it is in the `schedule` that is
 * changed. `problem` is what is wrong with the JSON of the input.
 */
export function scheduleOf(draft: ScheduleDraft, schedule?: Schedule): { named: NamedSchedule; problem?: string } {
  const { name, key, type, every, timeZone, overlap, jitter, catchUp } = draft;
  const { value, error: problem } = type === 'job' ? readJson(draft.input) : { value: bodyOf(draft) };
  const request: ScheduleRequest = {
    type,
    every,
    overlap,
    jitter,
    catchUp,
    ...(timeZone !== '' && { timeZone }),
    ...(value !== undefined && { input: value }),
    ...keptOf(schedule),
    ifExists: schedule ? 'update' : 'refuse',
  };
  return { named: { name, key, request }, ...(problem !== undefined && { problem }) };
}

/** Returns the body of the task that each run starts. */
function bodyOf({ type, audit, sync }: ScheduleDraft) {
  return type === 'audit' ? auditOf(audit) : sync;
}

function keptOf(schedule: Schedule | undefined): Pick<ScheduleRequest, 'note' | 'options'> {
  const { note = '', options = {} } = schedule ?? {};
  return { ...(note !== '' && { note }), ...(Object.keys(options).length > 0 && { options }) };
}
