import { type Attributes, type Span, SpanKind, type SpanOptions, SpanStatusCode, trace } from '@opentelemetry/api';
import { ApplicationFailure } from '@temporalio/common';

/** Without a provider of the SDK, which `startTracing` registers, its spans are nothing and cost nothing. */
const tracer = () => trace.getTracer('reembed');

/** Runs `work` within a span. Of what it throws the type is told, not the message: that may quote what users wrote. */
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

/** A span of what has just ended, if it was part of a trace. */
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
  /** A type, or what was thrown. */
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
