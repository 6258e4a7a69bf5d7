import { type Context, context, propagation, SpanKind, trace } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { TRACE_HEADER } from '../contract/names.ts';
import { spanned } from './spans.ts';

/** Takes the trace along to the workflow that is started, and from there to its activities. */
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

/** A span for each try of an activity, in the trace of what started its workflow. */
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

function withTrace(headers: Headers): Headers {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(carrier) };
}

function traceOf(headers: Headers): Context {
  const header = headers[TRACE_HEADER];
  if (!header) return context.active();
  return propagation.extract(context.active(), defaultPayloadConverter.fromPayload(header));
}
