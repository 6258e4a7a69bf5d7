import { z } from 'zod';
import { storageProblem } from './json.ts';
import { closest } from './spelling.ts';

const HIT_FIELDS = ['payload', 'metadata', 'text'] as const;
type HitField = (typeof HIT_FIELDS)[number];

const MAX_FIELDS = 32;
const MAX_STEPS = 16;
const MAX_CHARS = 500;

const EXPECTED = 'payload, metadata, text, or a path such as payload.title';

/** Names what a hit returns: `payload`, `metadata`, `text`, or a path such as `payload.title`. */
const hitFieldSchema = z
  .string()
  .max(MAX_CHARS)
  .superRefine((field, ctx) => {
    const message = problemOf(field);
    if (message) ctx.addIssue({ code: 'custom', message });
  })
  .meta({ pattern: '^(text|(payload|metadata)(\\.[^.]+)*)$' });

export const hitFieldsSchema = z
  .array(hitFieldSchema)
  .max(MAX_FIELDS)
  .describe(
    'What each hit returns beside its id, score, part, range and version: `payload`, `metadata`, `text`, or paths into the first two, such as `payload.title`. A path leads through objects, not arrays; what it does not find is left out. What is not named is not read. Default: all three.',
  )
  .meta({ examples: [['text', 'payload.title']] });

function problemOf(field: string): string | undefined {
  const [head = '', ...steps] = field.split('.');
  if (!isHitField(head)) {
    const near = closest(head, HIT_FIELDS);
    return `must be ${EXPECTED}${near ? `: did you mean ${[near, ...steps].join('.').slice(0, 100)}?` : ''}`;
  }
  if (head === 'text' && steps.length > 0) return 'text has no fields';
  if (steps.some((step) => step === '')) return 'must not have an empty name between two dots or at the end';
  if (steps.length > MAX_STEPS) return `at most ${MAX_STEPS} names after ${head}`;
  return storageProblem(field);
}

function isHitField(name: string): name is HitField {
  return (HIT_FIELDS as readonly string[]).includes(name);
}

/** What a hit returns of a JSON value: all of it, nothing, or the values at some paths. */
export type Wanted = 'all' | 'none' | readonly (readonly string[])[];

export interface WantedFields {
  payload: Wanted;
  metadata: Wanted;
  text: boolean;
}

export const ALL_FIELDS: WantedFields = { payload: 'all', metadata: 'all', text: true };

/** Sorts out the names of a valid request; a path below another one, or named twice, adds nothing. */
export function wantedFields(fields: readonly string[] | undefined): WantedFields {
  if (fields === undefined) return ALL_FIELDS;
  return {
    payload: wantedOf(fields, 'payload'),
    metadata: wantedOf(fields, 'metadata'),
    text: fields.includes('text'),
  };
}

function wantedOf(fields: readonly string[], name: HitField): Wanted {
  if (fields.includes(name)) return 'all';
  const below = [...new Set(fields)].filter((field) => field.startsWith(`${name}.`));
  const paths = below.filter((field) => !below.some((other) => field.startsWith(`${other}.`)));
  return paths.length === 0 ? 'none' : paths.map((path) => path.split('.').slice(1));
}
