import { type Context, context, propagation, SpanKind, trace } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { TraceCarrier } from '../contract/job-lanes.ts';
import { TRACE_HEADER } from '../contract/names.ts';
import { spanned } from './spans.ts';

/** Passes the trace on to the started workflow, and from there to its activities. */
export const traceStarts: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    trace.getActiveSpan() === undefined
      ? next(input)
      : spanned(
          `StartWorkflow:${input.workflowType}`,
          { kind: SpanKind.PRODUCER, attributes: { 'temporal.workflow.id': input.options.workflowId } },
          async (span) => {
            const started = await next({ ...input, headers: withTrace(input.headers) });
            span.setAttribute('temporal.run.id', started.runId);
            return started;
          },
        ),
};

/** Creates a span for each attempt of an activity, in the trace that started its workflow. */
export const traceActivities: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute(input, next) {
      const attributes = {
        'temporal.activity.type': info.activityType,
        'temporal.activity.attempt': info.attempt,
        'temporal.workflow.type': info.workflowType,
        'temporal.workflow.id': info.workflowExecution?.workflowId,
        'temporal.run.id': info.workflowExecution?.runId,
      };
      const options = { kind: SpanKind.CONSUMER, attributes };
      return context.with(traceOf(input.headers), () =>
        spanned(`RunActivity:${info.activityType}`, options, () => next(input)),
      );
    },
  },
});

/** Returns the current trace, in the form in which it travels; undefined outside of a trace. */
export function currentTrace(): TraceCarrier | undefined {
  return trace.getActiveSpan() && carrier();
}

/** Runs work in a trace that came with a request. */
export function withinTrace<T>(from: TraceCarrier | undefined, work: () => T): T {
  return from ? context.with(propagation.extract(context.active(), from), work) : work();
}

function carrier(): TraceCarrier {
  const fields: TraceCarrier = {};
  propagation.inject(context.active(), fields);
  return fields;
}

function withTrace(headers: Headers): Headers {
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(carrier()) };
}

function traceOf(headers: Headers): Context {
  const header = headers[TRACE_HEADER];
  if (!header) return context.active();
  return propagation.extract(context.active(), defaultPayloadConverter.fromPayload(header));
}
