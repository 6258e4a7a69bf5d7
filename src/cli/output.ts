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
  return {
    env: process.env,
    stdin: process.stdin,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY ? process.stderr : null,
    colours: { out: hasColours(process.env, process.stdout), err: hasColours(process.env, process.stderr) },
    onInterrupt: (interrupted) => {
      process.once('SIGINT', interrupted);
      return () => process.off('SIGINT', interrupted);
    },
  };
}

/** Writes a result: as JSON on one line, or as people read it. */
export function writeResult(io: Io, json: boolean | undefined, result: unknown, human: () => string): void {
  const text = json ? JSON.stringify(result) : human();
  io.out(text === '' || text.endsWith('\n') ? text : `${text}\n`);
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

/** Names and values below each other; those without a value are left out. */
export function fields(pairs: readonly (readonly [name: string, value: unknown])[]): string {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${String(value)}`).join('\n');
}

/** A text without line breaks, and without control characters that a terminal would obey. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be removed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
