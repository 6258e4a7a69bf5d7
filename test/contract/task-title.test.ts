import { expect, it } from 'vitest';
import { namesOf, shortId, type Titled, titleOf } from '../../src/contract/task-title.ts';

const progress = (total: number) => ({ done: 0, total, failed: 0, perSecond: 0, etaSeconds: null });

const TITLES: [task: Titled, title: string][] = [
  [{ type: 'job', job: 'send-mail' }, 'send-mail'],
  [{ type: 'job', data: { name: 'send-mail' } }, 'send-mail'],
  [{ type: 'upsert', indexes: ['docs'], progress: progress(3) }, 'upsert 3 → docs'],
  [{ type: 'upsert' }, 'upsert'],
  [{ type: 'delete', indexes: ['docs'], progress: progress(1) }, 'delete 1 from docs'],
  [{ type: 'reindex', indexes: ['docs', 'docs-v2'] }, 'docs → docs-v2'],
  [
    { type: 'reindex', data: { source: 'docs-v1', dest: 'docs-v2' }, indexes: ['docs', 'docs-v2'] },
    'docs-v1 → docs-v2',
  ],
  [{ type: 'evaluate', indexes: ['docs-v1', 'docs-v2'] }, 'evaluate docs-v2 against docs-v1'],
  [{ type: 'delete-index', data: { index: 'docs-v1' } }, 'delete the index docs-v1'],
  [{ type: 'audit', indexes: ['docs'] }, 'audit docs'],
  [{ type: 'sync', indexes: ['articles'] }, 'sync articles'],
  [{ type: 'steer', data: { action: 'cancel', dryRun: true } }, 'cancel tasks (dry run)'],
  [{ type: 'reindex-slice' }, 'reindex-slice'],
];

it('a title says what a task does and to what', () => {
  for (const [task, title] of TITLES) expect(titleOf(task)).toBe(title);
});

it('the indexes that a task works on come before the names that it was started with', () => {
  expect(namesOf({ data: { index: 'docs-v1' }, indexes: ['docs'] })).toEqual(['docs-v1']);
  expect(namesOf({ data: { index: 'docs-v1' }, indexes: ['left', 'right'] })).toEqual(['left', 'right']);
});

it('a shortened id keeps what tells it apart, and short ids stay whole', () => {
  expect(shortId('4e29ab46-d3a2-46eb-9f3b-90ea663f592d')).toBe('4e29ab46');
  expect(shortId('rebuild-1')).toBe('rebuild-1');
  expect(shortId('retire/docs-v1/of-a-long-named-reindex-7')).toBe('retire/docs-v1/…eindex-7');
});
