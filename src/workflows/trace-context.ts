import type { WorkflowInterceptors } from '@temporalio/workflow';
import { TRACE_HEADER } from '../contract/names.ts';

type Input = { readonly headers: Record<string, unknown> };

/**
 * Hands the trace that a workflow was started in on to its activities, its children and its next run, unread. Makes no
 * spans here, as the SDK's own interceptors do: ids of spans come out of the workflow's random numbers, so that a run
 * that is taken up by a worker with tracing would have other uuids, of locks for instance, than it began with.
 */
export function interceptors(): WorkflowInterceptors {
  let header: Input['headers'] = {};
  const pass = <I extends Input, R>(input: I, next: (input: I) => R): R =>
    next({ ...input, headers: { ...input.headers, ...header } });
  return {
    inbound: [
      {
        execute(input, next) {
          const given = input.headers[TRACE_HEADER];
          if (given) header = { [TRACE_HEADER]: given };
          return next(input);
        },
      },
    ],
    outbound: [
      { scheduleActivity: pass, scheduleLocalActivity: pass, startChildWorkflowExecution: pass, continueAsNew: pass },
    ],
  };
}
