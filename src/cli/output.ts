import { cleanColoured, cleanJson, cleanText } from '../contract/clean.ts';
import { hasColours } from './paint.ts';

/** The environment of a command-line run, replaceable in tests. */
export interface Io {
  env: NodeJS.ProcessEnv;
  stdin: NodeJS.ReadableStream;
  /** Writes results and nothing else, so that they can be piped. */
  out: (text: string) => void;
  /** Writes all other messages for people. */
  err: (text: string) => void;
  /** Terminal for progress bars; null when there is none, and lines are printed instead. */
  terminal: NodeJS.WriteStream | null;
  /** Whether each output has colors; default: none. */
  colours?: { out: boolean; err: boolean };
  /** Calls back at Ctrl-C instead of ending the process, until the returned function is called. */
  onInterrupt: (interrupted: () => void) => () => void;
}

/** Returns the streams of this process. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    // The reader of a pipe (`| head`) may close it early.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
  const colours = { out: hasColours(process.env, process.stdout), err: hasColours(process.env, process.stderr) };
  // Of all control sequences, only our own colors may reach a terminal.
  const clean = (text: string, coloured: boolean) => (coloured ? cleanColoured(text) : cleanText(text));
  return {
    env: process.env,
    stdin: process.stdin,
    out: (text) => void process.stdout.write(clean(text, colours.out)),
    err: (text) => void process.stderr.write(clean(text, colours.err)),
    terminal: process.stderr.isTTY ? process.stderr : null,
    colours,
    onInterrupt: (interrupted) => {
      process.once('SIGINT', interrupted);
      return () => process.off('SIGINT', interrupted);
    },
  };
}

/** Writes a result as one line of JSON, or in human-readable form. */
export function writeResult(io: Io, json: boolean | undefined, result: unknown, human: () => string): void {
  const text = json ? jsonLine(result) : (io.colours?.out ? cleanColoured : cleanText)(human());
  io.out(text === '' || text.endsWith('\n') ? text : `${text}\n`);
}

/** Serializes a value as JSON that is safe to print. */
export function jsonLine(value: unknown): string {
  return cleanJson(JSON.stringify(value));
}

export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null | undefined;
  /** Align right, for numbers. */
  right?: boolean;
  /** Adds colors, which do not count for the width. */
  paint?: (text: string, row: Row) => string;
}

/** Formats rows in columns with a heading; returns `nothing` when there are no rows. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], nothing: string): string {
  if (rows.length === 0) return nothing;
  const cells = rows.map((row) => columns.map(({ value }) => oneLine(String(value(row) ?? ''))));
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((line) => (line[at] as string).length)),
  );
  const line = (texts: readonly string[], row?: Row) =>
    texts
      .map((text, at) => {
        const { right, paint } = columns[at] as Column<Row>;
        const padding = ' '.repeat((widths[at] as number) - text.length);
        const shown = paint && row !== undefined ? paint(text, row) : text;
        return right ? padding + shown : shown + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ title }) => title)), ...cells.map((texts, at) => line(texts, rows[at]))].join('\n');
}

/** A name, its value, and a function that colors it. */
export type Field = readonly [name: string, value: unknown, paint?: (text: string) => string];

/** Formats names and values, one per line; fields without a value are omitted. */
export function fields(given: readonly Field[]): string {
  const shown = given.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value, paint = (text) => text]) => `${name.padEnd(width)}  ${paint(oneLine(String(value)))}`)
    .join('\n');
}

/** Removes line breaks and control characters from a text. */
export function oneLine(text: string): string {
  return cleanText(text).replace(/[\t\n]+/g, ' ');
}
