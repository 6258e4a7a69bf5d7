import { cleanColoured, cleanJson, cleanText } from '../contract/clean.ts';
import { hasColours } from './paint.ts';

/** The world around a run of the command line, so that tests can watch it. */
export interface Io {
  env: NodeJS.ProcessEnv;
  stdin: NodeJS.ReadableStream;
  /** Results. Nothing else is ever written there, so that they can be piped. */
  out: (text: string) => void;
  /** Everything that people are told beside the result. */
  err: (text: string) => void;
  /** Where people watch a bar that moves; null when nobody does, who get lines instead. */
  terminal: NodeJS.WriteStream | null;
  /** Whether the two outputs have colours; none if not given. */
  colours?: { out: boolean; err: boolean };
  /** Calls back at Ctrl-C instead of ending the process, until what it returns is called. */
  onInterrupt: (interrupted: () => void) => () => void;
}

/** The streams of this process. */
export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever reads us (`| head`) may have seen enough.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
  const colours = { out: hasColours(process.env, process.stdout), err: hasColours(process.env, process.stderr) };
  // Whatever comes from elsewhere, nothing but colours of ours reaches a terminal.
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

/** Writes a result: as JSON on one line, or as people read it. */
export function writeResult(io: Io, json: boolean | undefined, result: unknown, human: () => string): void {
  const text = json ? jsonLine(result) : (io.colours?.out ? cleanColoured : cleanText)(human());
  io.out(text === '' || text.endsWith('\n') ? text : `${text}\n`);
}

/** JSON that is safe to print. */
export function jsonLine(value: unknown): string {
  return cleanJson(JSON.stringify(value));
}

export interface Column<Row> {
  title: string;
  value: (row: Row) => string | number | null | undefined;
  /** Numbers stand right. */
  right?: boolean;
  /** Adds colours, which take no place. */
  paint?: (text: string, row: Row) => string;
}

/** Rows in columns with a heading; `nothing` when there are none. */
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

/** A name, its value, and what adds colours to it. */
export type Field = readonly [name: string, value: unknown, paint?: (text: string) => string];

/** Names and values below each other, each on one line; those without a value are left out. */
export function fields(given: readonly Field[]): string {
  const shown = given.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value, paint = (text) => text]) => `${name.padEnd(width)}  ${paint(oneLine(String(value)))}`)
    .join('\n');
}

/** A text without line breaks, and without control characters that a terminal would obey. */
export function oneLine(text: string): string {
  return cleanText(text).replace(/[\t\n]+/g, ' ');
}
