import type { WorkflowInterceptors } from '@temporalio/workflow';
import { TRACE_HEADER } from '../contract/names.ts';

type Input = { readonly headers: Record<string, unknown> };

/**
 * Passes the trace that a workflow was started in to its activities, children and next run, without reading it. Unlike
 * the SDK's interceptors, it creates no spans: their ids use up the workflow's random numbers, so a run that moves to a
 * worker with tracing would get other uuids (of locks, for instance) than it began with.
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
