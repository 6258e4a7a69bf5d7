import { z } from 'zod';
import { nameSchema } from './indexes.ts';
import { objectIdSchema } from './objects.ts';
import type { SyncPlace } from './source-activities.ts';
import { sourceNameSchema } from './sources.ts';
import { taskFields } from './task-bodies.ts';

/**
 * Audit: looks for what is broken inside an index, such as objects that no search can find, or for what differs between
 * an index and the table that it follows.
 */

interface KindFacts {
  /** For a sentence such as `3 objects without parts`. */
  text: string;
  /** What it means, for the list of what an audit found. */
  detail: string;
}

/** What an audit finds, as data. An object is reported once, under the first kind that fits. */
export const AUDIT_KINDS = {
  duplicate: {
    text: 'with several rows',
    detail:
      'the object, or one of its parts, is stored several times: the primary key of its table is missing or broken',
  },
  'not-embedded': {
    text: 'without vectors',
    detail: 'a reindex could not embed the object: searches do not find it',
  },
  changed: {
    text: 'changed past reembed',
    detail: 'the stored payload is not the one that was embedded: it was changed past reembed',
  },
  'without-parts': {
    text: 'without parts',
    detail: 'the object has no parts: searches do not find it',
  },
  'part-gaps': {
    text: 'with missing parts',
    detail: 'the parts of the object do not cover its text, or their numbers have gaps',
  },
  'vector-length': {
    text: 'with vectors of another length',
    detail: 'a vector of the object does not have the dimensions of the index: searches fail or do not find it',
  },
  'vector-zero': {
    text: 'with vectors without direction',
    detail: 'a vector of the object consists of zeros, or is so short or long that cosine cannot compare it',
  },
  'vector-not-finite': {
    text: 'with numbers that are not finite',
    detail: 'a vector of the object has numbers that are not finite: it sorts before every true hit',
  },
  'orphaned-parts': {
    text: 'of which only parts are left',
    detail: 'there are parts, but no embedded object: it is missing, deleted or was never embedded',
  },
} as const satisfies Record<string, KindFacts>;

/** What the audit of a source finds: differences between its table and its index. */
export const SOURCE_KINDS = {
  missing: { text: 'missing', detail: 'the row has no object that searches find' },
  extra: {
    text: 'without a row',
    detail: 'the object has no row, or one that the source excludes or that has no text',
  },
  stale: { text: 'stale', detail: 'the text, address or metadata of the object is not that of its row' },
} as const satisfies Record<string, KindFacts>;

export type SourceKind = keyof typeof SOURCE_KINDS;
export const ALL_AUDIT_KINDS: Record<AuditKind | SourceKind, KindFacts> = { ...AUDIT_KINDS, ...SOURCE_KINDS };

export type AuditKind = keyof typeof AUDIT_KINDS;

export const auditSchema = z
  .strictObject({
    ...taskFields,
    index: nameSchema
      .optional()
      .describe(
        'Looks inside this index, or alias, which is resolved when the audit begins. Give either this or `source`.',
      ),
    source: sourceNameSchema
      .optional()
      .describe('Compares the table of this source with its index, both ways. Give either this or `index`.'),
    after: objectIdSchema
      .optional()
      .describe('Looks only at objects after this id, in the order of their UTF-8 bytes. Default: from the first one.'),
    until: objectIdSchema
      .optional()
      .describe('Looks only at objects up to this id, which is included. Default: to the last one.'),
    ratePerSecond: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .describe(
        'Maximum objects, or rows and objects, looked at per second; default: no limit. The audit yields to live work in any case.',
      ),
    repair: z
      .boolean()
      .default(false)
      .describe(
        'Of an index: embeds broken objects again, with the versions they have, and deletes parts without an object. Of a ' +
          'source: syncs the rows that differ as the follower does, and deletes objects without a row.',
      ),
  })
  .superRefine(({ index, source, after, until }, ctx) => {
    if ((index === undefined) === (source === undefined)) {
      ctx.addIssue({ code: 'custom', path: ['index'], message: 'give either index or source' });
    }
    for (const [field, value] of Object.entries({ after, until })) {
      if (source === undefined || value === undefined) continue;
      ctx.addIssue({
        code: 'custom',
        path: [field],
        message: 'is allowed with index only: a source is audited as a whole',
      });
    }
    if (after === undefined || until === undefined || isBefore(after, until)) return;
    ctx.addIssue({
      code: 'custom',
      path: ['until'],
      message: `must come after \`after\`, in the order of UTF-8 bytes`,
    });
  })
  .meta({ id: 'Audit', examples: [{ index: 'docs', repair: false }] });
export type AuditBody = z.output<typeof auditSchema>;
export type AuditRequest = z.input<typeof auditSchema>;

/** Whether a text comes before another one by its code points, which is the order of its UTF-8 bytes. */
function isBefore(left: string, right: string): boolean {
  const [a, b] = [Array.from(left), Array.from(right)];
  const at = a.findIndex((character, place) => character !== b[place]);
  if (at === -1) return a.length < b.length;
  return (a[at]?.codePointAt(0) ?? 0) < (b[at]?.codePointAt(0) ?? -1);
}

/** What an audit has counted. */
export interface AuditCounts {
  /** Live objects looked at. */
  objects: number;
  /** Of a source: rows looked at, and differences that are not reported because they were on their way. */
  rows?: number;
  onTheirWay?: number;
  /** By kind; kinds that were not found are missing. */
  found: Partial<Record<AuditKind | SourceKind, number>>;
  /** Of those found, the ones that were repaired. */
  repaired: number;
  /** Those on the failed list of the task. */
  listed: number;
}

/** Progress of an audit: everything that its next run needs. */
export interface AuditState {
  indexNo: number;
  /** Live objects in the range, when the audit began. */
  total: number;
  /** Everything up to this id was looked at; null: nothing yet. */
  after: string | null;
  counts: AuditCounts;
  /** Of a source, instead of `after`: how far its table, then its index, was looked at; null at the end. */
  place?: SyncPlace | null;
  /** Of a source: the index that it names. */
  index?: string;
}

export const noAuditCounts = (): AuditCounts => ({ objects: 0, found: {}, repaired: 0, listed: 0 });

/** Adds counts to a sum. */
export function addAuditCounts(sum: AuditCounts, counts: AuditCounts): void {
  sum.objects += counts.objects;
  sum.repaired += counts.repaired;
  sum.listed += counts.listed;
  if (counts.rows !== undefined) sum.rows = (sum.rows ?? 0) + counts.rows;
  if (counts.onTheirWay !== undefined) sum.onTheirWay = (sum.onTheirWay ?? 0) + counts.onTheirWay;
  for (const [kind, objects] of Object.entries(counts.found) as [AuditKind, number][]) {
    sum.found[kind] = (sum.found[kind] ?? 0) + objects;
  }
}

/** Returns how many objects were found broken, of all kinds. */
export function foundOf({ found }: AuditCounts): number {
  return Object.values(found).reduce((sum, objects) => sum + objects, 0);
}

/** Says what an audit found, in one sentence. */
export function auditText(counts: AuditCounts): string {
  const { objects, rows, found, repaired, listed, onTheirWay = 0 } = counts;
  const broken = foundOf(counts);
  const looked = rows === undefined ? `${objects} objects` : `${rows} rows and ${objects} objects`;
  const moving = onTheirWay > 0 ? `; ${onTheirWay} on their way` : '';
  if (broken === 0) return `${looked}, nothing ${rows === undefined ? 'is broken' : 'differs'}${moving}`;
  const kinds = (Object.entries(found) as [AuditKind | SourceKind, number][]).map(
    ([kind, n]) => `${n} ${ALL_AUDIT_KINDS[kind].text}`,
  );
  const left = broken - repaired;
  const fixed = repaired > 0 ? `; ${repaired} repaired` : '';
  const where =
    left === 0 ? '' : `; ${left} left${listed < left ? `, the first ${listed} listed` : ''} (see the failed items)`;
  const what = rows === undefined ? 'broken' : 'differ';
  return `${looked}, ${broken} ${what}: ${kinds.join(', ')}${fixed}${where}${moving}`;
}
