import { type Attributes, type Span, SpanKind, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api';
import { ApplicationFailure } from '@temporalio/common';

/** Without an SDK provider, which `startTracing` registers, its spans do nothing and cost nothing. */
const tracer = () => trace.getTracer('reembed');

/** Runs `work` within a span. Records the type of an error but not its message, which may quote users' content. */
export async function spanned<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, options, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Creates a span for something that has just ended, if it was part of a trace. */
export function tellSpan(name: string, { ms, attributes, error }: EndedSpan): void {
  if (!trace.getActiveSpan()?.isRecording()) return;
  const endTime = Date.now();
  const span = tracer().startSpan(name, { kind: SpanKind.CLIENT, attributes, startTime: endTime - ms });
  if (error !== undefined) fail(span, error);
  span.end(endTime);
}

export interface EndedSpan {
  ms: number;
  attributes: Attributes;
  /** An error type, or the error itself. */
  error?: unknown;
}

function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute('error.type', typeof error === 'string' ? error : typeOf(error));
}

function typeOf(error: unknown): string {
  if (error instanceof ApplicationFailure) return error.type ?? 'Internal';
  return error instanceof Error ? error.name : 'Internal';
}
