import { expect, it } from 'vitest';
import { paintIf } from '../../src/cli/paint.ts';
import { watchTable } from '../../src/cli/watch-table.ts';
import type { TaskRow } from '../../src/client/client.ts';

const paint = paintIf(false);
const progress = { done: 1_312_000, total: 9_999_999, failed: 0, perSecond: 812, etaSeconds: 10_700 };
const TASKS: TaskRow[] = [
  {
    id: '4e29ab46-d3a2-46eb-9f3b-90ea663f592d',
    type: 'upsert',
    status: 'done',
    ended: true,
    indexes: ['docs'],
    detail: '1 written',
    progress: { done: 1, total: 1, failed: 0, perSecond: 0, etaSeconds: 0 },
  },
  {
    id: 'rebuild-of-everything-with-a-long-name',
    type: 'reindex',
    status: 'processing',
    ended: false,
    data: { source: 'a-very-long-name-of-an-index-v1', dest: 'a-very-long-name-of-an-index-v2' },
    detail: 'copying a-very-long-name-of-an-index-v1 to a-very-long-name-of-an-index-v2',
    progress,
  },
];

it('fits 80 columns, with what runs first, what it does, how far it is and when it ends', () => {
  const lines = watchTable(TASKS, { columns: 80, paint }).split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^WHAT +STATUS +DONE +PACE +ID/);
  expect(lines[1]).toMatch(/^a-very-long-name-of-an-in… +processing +1\.3M\/10M +ETA 2h 58m +rebuild-o…/);
  expect(lines[2]).toMatch(/^upsert 1 → docs +done +1\/1 +4e29ab46/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});

it('says what mostly slows a task instead of the time left', () => {
  const pace = { reason: 'live-work', text: 'yields to searches and writes', share: 0.7, until: null } as const;
  const shown = (share: number | null, ended = false) =>
    watchTable([{ ...(TASKS[1] as TaskRow), pace: { ...pace, share }, ended }], { columns: 80, paint });
  expect(shown(0.7)).toContain('yields');
  expect(shown(null)).toContain('yields');
  expect(shown(0.2)).toContain('ETA 2h 58m');
  expect(shown(0.7, true)).not.toContain('yields');
});

it('gives the room of a wide terminal to details', () => {
  const lines = watchTable(TASKS, { columns: 140, paint }).split('\n');
  expect(lines[0]).toContain('DETAIL');
  expect(lines[1]).toContain('copying a-very-long-name');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(140);
});
