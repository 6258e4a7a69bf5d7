import { Writable } from 'node:stream';
import { trace } from '@opentelemetry/api';
import { asyncLocalStorage as activities } from '@temporalio/activity';
import pino, { type Logger } from 'pino';
import { cleanJson, cleanText } from '../contract/clean.ts';
import { secretsOf } from '../settings/secrets.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * Creates the log of a process: one JSON object per line, or one readable line on a terminal. Known secrets are masked
 * anywhere in a line, because errors of a driver may quote them.
 */
export function createLogger(settings: Settings, target: LogTarget = process.stderr): Logger {
  const secrets = secretsOf(settings).flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  const destination = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      let clean = line;
      for (const secret of secrets) clean = clean.replaceAll(secret, '***');
      target.write(target.isTTY ? readable(clean) : cleanJson(clean.slice(0, -1)) + clean.slice(-1));
      done();
    },
  });
  return pino(
    {
      level: settings.logLevel,
      base: undefined,
      mixin: whereabouts,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: HEADER_PATHS, censor: '***' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    destination,
  );
}

/** Returns the context of a log line: the running activity and the trace. A task's id is its workflow id. */
function whereabouts(): Record<string, unknown> {
  const { activityType: activity, attempt, workflowExecution: workflow } = activities.getStore()?.info ?? {};
  const span = trace.getActiveSpan()?.spanContext();
  return {
    ...(workflow && { taskId: workflow.workflowId, runId: workflow.runId, activity, attempt }),
    ...(span && { traceId: span.traceId, spanId: span.spanId }),
  };
}

interface LogTarget {
  write(text: string): unknown;
  isTTY?: boolean;
}

/** Headers with credentials of callers, valid or not. */
const HEADER_PATHS = ['headers.authorization', '*.headers.authorization', 'headers.cookie', '*.headers.cookie'];

const COLORS: Record<string, number> = { trace: 90, debug: 90, info: 36, warn: 33, error: 31, fatal: 31 };

/** Formats a line as `12:00:01 WARN  the message  field=value`, followed by the stack of an error. */
function readable(line: string): string {
  const { level, time, msg, err, error, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const label = String(level);
  const failure = (err ?? error) as { message?: string; stack?: string } | undefined;
  const shown = Object.entries(fields).map(
    ([name, value]) =>
      `\u001b[90m${oneLine(name)}=\u001b[0m${oneLine(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
  const head = [
    `\u001b[90m${String(time).slice(11, 19)}\u001b[0m`,
    `\u001b[${COLORS[label] ?? 0}m${label.toUpperCase().padEnd(5)}\u001b[0m`,
    oneLine(String(msg ?? failure?.message ?? '')),
    ...shown,
  ].join(' ');
  return failure?.stack ? `${head}\n${indented(cleanText(failure.stack))}\n` : `${head}\n`;
}

function oneLine(text: string): string {
  return cleanText(text).replace(/[\t\n]+/g, ' ');
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ');
}
