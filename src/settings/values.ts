import { z } from 'zod';
import { databaseNameSchema, MAIN_DATABASE } from '../contract/databases.ts';

export function whole(min: number, max: number) {
  return z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(min).max(max));
}

const TRUTH: Record<string, boolean> = { true: true, '1': true, yes: true, false: false, '0': false, no: false };

export const text = z.string().min(1);

export const folder = z.string().min(1);

export const truth = z
  .string()
  .toLowerCase()
  .refine((word) => word in TRUTH)
  .transform((word) => TRUTH[word] as boolean);

export const list = z.string().transform((written) =>
  written
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** Not a setting: the database of reembed, and what is not an address, are not for sources. */
export const sourceVariable = z.string().regex(/^(?!(REEMBED|TEMPORAL|DATABASE|NODE)_|PG)[A-Za-z_][A-Za-z0-9_]{0,99}$/);

/** `name=VARIABLE,…`: the variables have the addresses, which are secrets. */
export const namedDatabases = list
  .pipe(
    z.array(
      z
        .string()
        .transform((written) => written.split('='))
        .pipe(z.tuple([databaseNameSchema, sourceVariable]))
        .transform(([name, variable]) => ({ name, variable })),
    ),
  )
  .refine((databases) => {
    const names = databases.map(({ name }) => name);
    return !names.includes(MAIN_DATABASE) && new Set(names).size === names.length;
  });

export const jsonText = z.string().transform((written, context) => {
  try {
    return JSON.parse(written) as unknown;
  } catch {
    context.addIssue('is not JSON');
    return z.NEVER;
  }
});

export const address = z.string().refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol));

/** `[host:]port`; a port alone means 127.0.0.1. */
export const listenAddress = z
  .string()
  .regex(/^((\[[0-9a-fA-F:]+\]|[\w.-]+):)?\d{1,5}$/)
  .transform((written) => {
    const at = written.lastIndexOf(':');
    const host = at < 0 ? '127.0.0.1' : written.slice(0, at).replace(/^\[|\]$/g, '');
    return { host, port: Number(written.slice(at + 1)) };
  })
  .refine(({ port }) => port <= 65_535);

/** Host names and IP addresses as written in a URL, without a port. */
export const hosts = list.pipe(z.array(z.string().regex(/^([\w.-]+|\[[0-9a-fA-F:.]+\])$/)));

export const origins = list.pipe(z.array(z.string().refine((one) => URL.canParse(one) && new URL(one).origin === one)));

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
