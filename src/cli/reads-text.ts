import type { ReadSide, ReadsReport } from '../contract/reads.ts';
import { fields, table } from './output.ts';

interface Row extends ReadSide {
  kind: string;
}

/** Formats the figures of shadow and canary reads. */
export function readsText({ alias, since, until, shadow, canary, skipped }: ReadsReport): string {
  const rows: Row[] = [
    { kind: 'shadow', ...shadow.serving },
    { kind: 'shadow', ...shadow.other },
    { kind: 'canary', ...canary.serving },
    { kind: 'canary', ...canary.other },
  ];
  const state = until === null ? `since ${since}` : `${since} to ${until}`;
  const facts = fields([
    ['reads', `searches of ${alias}, ${state}`],
    ['shadow', `${shadow.share}, overlap ${shadow.overlap ?? 'unknown'}, ${shadow.dropped} dropped`],
    ['canary', String(canary.share)],
    ['skipped', skipped === 0 ? null : `${skipped} by a vector of another model`],
  ]);
  const figures = table(
    rows.filter(({ searches, failed }) => searches + failed > 0),
    [
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'INDEX', value: ({ index }) => index },
      { title: 'SEARCHES', value: ({ searches }) => searches, right: true },
      { title: 'FAILED', value: ({ failed }) => failed, right: true },
      { title: 'EMPTY', value: ({ empty }) => empty, right: true },
      { title: 'P50 MS', value: ({ p50Ms }) => p50Ms, right: true },
      { title: 'P95 MS', value: ({ p95Ms }) => p95Ms, right: true },
    ],
    'no searches yet',
  );
  return `${facts}\n${figures}`;
}
