import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { canonicalJson } from '../contract/canonical-json.ts';
import { durationMs } from '../contract/durations.ts';
import { type FieldIssue, ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import type { JobPlan } from '../contract/job-plan.ts';
import {
  backOffSchema,
  type CallOptions,
  type CodeCallOptions,
  callOptionsSchema,
  type DefinitionOptions,
  definitionOptionsSchema,
  JOB_DEFAULTS,
  queueNameSchema,
} from '../contract/jobs.ts';
import { DEFAULT_QUEUE } from '../contract/names.ts';

/** The part of a definition that plans a job. */
export interface Planned {
  name: string;
  options: DefinitionOptions<never>;
}

/**
 * Validates the options of a definition.
 * @throws ReembedError `InvalidInput` that names each unknown, invalid or contradictory option
 */
export function checkDefinitionOptions(name: string, options: DefinitionOptions<never>): void {
  refuse(`the definition of ${name}`, [
    ...schemaIssues(definitionOptionsSchema, options),
    ...contradictions(options),
    ...(options.newest && options.onDuplicate !== 'queue_one' ? [NEWEST] : []),
  ]);
}

/**
 * Combines the options of a job: those of the definition, overridden by those of the call.
 * @param input the result of the definition's schema, for functions of the input
 * @param sent the input as JSON, which identifies duplicates if there is no key
 * @throws ReembedError `InvalidInput` that names each unknown, invalid or contradictory option
 */
export function planJob(
  { name, options: own }: Planned,
  { input, sent }: { input: unknown; sent: unknown },
  inCode: CodeCallOptions = {},
): JobPlan {
  const what = `the options of ${name}`;
  const call = worked(what, inCode, input);
  refuse(what, schemaIssues(callOptionsSchema, call));
  const asked = given(call);
  const merged = { ...JOB_DEFAULTS, ...given(own), ...asked };
  refuse(what, [
    ...contradictions(asked),
    ...(asked.at !== undefined && asked.delay !== undefined ? [{ path: 'delay', message: 'contradicts `at`' }] : []),
    ...(asked.newest && merged.onDuplicate !== 'queue_one' ? [NEWEST] : []),
    ...(asked.key !== undefined && merged.onDuplicate === 'parallel' ? [KEY] : []),
  ]);
  return {
    timeoutMs: durationMs(merged.timeout),
    queue: queueOf(what, merged.queue, input),
    bind: merged.bind ?? false,
    onDuplicate: merged.onDuplicate,
    keyHash: hashOf(keyOf(what, merged.key, input) ?? canonicalJson(sent ?? null)),
    // The definition's `newest` has no effect if the call has changed `onDuplicate`.
    newest: merged.onDuplicate === 'queue_one' && (merged.newest ?? false),
    maxAttempts: merged.maxAttempts,
    backOff: backOffOf(merged.backOff),
    runs: runsAt(asked.at, merged.delay),
    priority: merged.priority,
    fairnessKey: merged.fairnessKey ?? null,
    startTimeoutMs: durationMs(merged.startTimeout),
    isolate: merged.isolate,
  };
}

/** Evaluates functions of the input; a queue that they return is validated like any other. */
function worked(what: string, { queue, key, ...call }: CodeCallOptions, input: unknown): CallOptions {
  return {
    ...call,
    ...(queue !== undefined && { queue: typeof queue === 'function' ? queueOf(what, queue, input) : queue }),
    ...(key !== undefined && { key: typeof key === 'function' ? keyOf(what, key, input) : key }),
  };
}

/** Default max. backoff between attempts. */
const USUAL_MAX_MS = 600_000;

const NEWEST: FieldIssue = { path: 'newest', message: 'has an effect only with onDuplicate queue_one' };
const KEY: FieldIssue = { path: 'key', message: 'has no effect with onDuplicate parallel' };

/** Returns contradictions within one set of options. */
function contradictions({ backOff, maxAttempts }: Pick<CallOptions, 'backOff' | 'maxAttempts'>): FieldIssue[] {
  const { success, data } = backOffSchema.safeParse(backOff ?? {});
  if (!success) return []; // reported by the schema
  const issues: FieldIssue[] = [];
  if (data.max !== undefined && durationMs(data.initial) > durationMs(data.max)) {
    issues.push({ path: 'backOff.initial', message: 'must not be longer than backOff.max' });
  }
  if (backOff !== undefined && maxAttempts === 1) {
    issues.push({ path: 'backOff', message: 'has no effect with maxAttempts 1' });
  }
  return issues;
}

function backOffOf(backOff: CallOptions['backOff'] = {}): JobPlan['backOff'] {
  const { initial, factor, max } = backOffSchema.parse(backOff);
  const initialMs = durationMs(initial);
  return { initialMs, factor, maxMs: max === undefined ? Math.max(initialMs, USUAL_MAX_MS) : durationMs(max) };
}

function runsAt(at: CallOptions['at'], delay: CallOptions['delay']): JobPlan['runs'] {
  if (at !== undefined) return { atMs: new Date(at).getTime() };
  return delay === undefined || durationMs(delay) === 0 ? null : { afterMs: durationMs(delay) };
}

function queueOf(what: string, queue: string | ((input: never) => string) | undefined, input: unknown): string {
  if (queue === undefined) return DEFAULT_QUEUE;
  if (typeof queue === 'string') return queue;
  const chosen: unknown = queue(input as never);
  refuse(what, schemaIssues(queueNameSchema, chosen, ['queue']));
  return chosen as string;
}

function keyOf(what: string, key: string | ((input: never) => string) | undefined, input: unknown): string | undefined {
  if (typeof key !== 'function') return key;
  const made: unknown = key(input as never);
  refuse(what, schemaIssues(callOptionsSchema.shape.key.unwrap(), made, ['key']));
  return made as string;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Removes undefined options, which count as not set. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function schemaIssues(schema: z.ZodType, value: unknown, prefix: PropertyKey[] = []): FieldIssue[] {
  const parsed = schema.safeParse(value);
  if (parsed.success) return [];
  return fieldIssues(parsed.error, prefix).map(({ path, message }) => ({
    path,
    message: message === 'is not a known field' ? 'is not an option' : message,
  }));
}

function refuse(what: string, issues: FieldIssue[]): void {
  if (issues.length > 0) throw new ReembedError('InvalidInput', `${what}: ${issuesText(issues)}`, { issues });
}
