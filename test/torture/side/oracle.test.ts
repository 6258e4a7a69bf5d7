import { expect, test } from 'vitest';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { type Life, SideOracle, type SideWrite } from './oracle.ts';

const at = (fromMs: number, toMs = fromMs + 1) => ({ fromMs, toMs });

function write(target: string, sentMs: number, endMs: number, over: Partial<SideWrite> = {}): SideWrite {
  const end = {
    ...{ status: 'done', version: sentMs, updateTime: new Date(endMs).toISOString(), data: {}, errors: [], detail: '' },
  } as unknown as Tracker;
  const items = [{ id: 'x', payload: `at ${sentMs}` }];
  return {
    ...{
      taskId: `w${sentMs}`,
      target,
      kind: 'upsert',
      items,
      sentMs,
      acceptedMs: sentMs + 1,
      doneMs: endMs,
      refusal: null,
      end,
    },
    ...over,
  };
}

function oracle(...writes: SideWrite[]) {
  const made = new SideOracle('alias');
  // a is created, deleted, and created again; the alias moves from b to a.
  made.lives.push(
    { name: 'b', created: at(0), deleted: null },
    { name: 'a', created: at(0), deleted: at(50, 55) },
    { name: 'a', created: at(60), deleted: null },
  );
  made.moves.push({ to: 'b', span: at(2) }, { to: 'a', span: at(100, 110) });
  made.writes.push(...writes);
  return { made, b: made.lives[0] as Life, a: made.lives[2] as Life };
}

const versionOf = ({ end }: SideWrite) => end?.version ?? null;
const row = (version: number, payload = `at ${version}`) => ({ id: 'x', version, deleted: false, payload });

test('a write must be where its alias pointed from its start to its end', () => {
  const { made, a, b } = oracle(write('alias', 10, 20));
  expect(made.reach(made.writes[0] as SideWrite, b)).toBe('certain');
  expect(made.reach(made.writes[0] as SideWrite, a)).toBe('never');
  expect(made.judge(b, [row(10)], versionOf)).toMatchObject({ lost: [], stale: [], resurrected: [] });
  expect(made.judge(b, [], versionOf)).toMatchObject({ lost: ['x in b'] });
  expect(made.judge(a, [row(10)], versionOf)).toMatchObject({ resurrected: ['x at 10 in a'] });
});

test('a write without a wait for its end may have ended one workflow task later than its tracker says', () => {
  const { made, a, b } = oracle(write('alias', 10, 20, { doneMs: null }));
  for (const life of [a, b]) expect(made.reach(made.writes[0] as SideWrite, life)).toBe('maybe');
});

test('a write during the move of its alias may be in either index, and in both with its own content', () => {
  const { made, a, b } = oracle(write('alias', 95, 105));
  for (const [life, name] of [
    [a, 'a'],
    [b, 'b'],
  ] as const) {
    expect(made.reach(made.writes[0] as SideWrite, life)).toBe('maybe');
    expect(made.judge(life, [], versionOf)).toMatchObject({ lost: [] });
    expect(made.judge(life, [row(95)], versionOf)).toMatchObject({ stale: [], resurrected: [] });
    expect(made.judge(life, [row(95, 'other')], versionOf)).toMatchObject({ stale: [`x at 95 in ${name}`] });
  }
});

test('a write that was accepted before its index was deleted must not reach the next one of the name', () => {
  const { made, a } = oracle(write('a', 45, 70));
  expect(made.reach(made.writes[0] as SideWrite, a)).toBe('never');
  expect(made.judge(a, [row(45)], versionOf)).toMatchObject({ resurrected: ['x at 45 in a'] });
});

test('an older version than that of a write that must be there is stale', () => {
  const { made, b } = oracle(write('alias', 10, 20), write('alias', 30, 40));
  expect(made.judge(b, [row(10)], versionOf)).toMatchObject({ stale: ['x in b'] });
});

test('a refusal is right only while its index or alias is gone', () => {
  const refused = (target: string, sentMs: number, endMs: number) => {
    const sent = write(target, sentMs, endMs);
    const end = { ...sent.end, status: 'refused', errors: [{ type: 'IndexDeleted' }] } as unknown as Tracker;
    return { ...sent, end };
  };
  expect(oracle(refused('a', 45, 70)).made.problems()).toEqual([]);
  expect(oracle(refused('a', 65, 80)).made.problems()).toHaveLength(1);
  expect(oracle(refused('b', 45, 70)).made.problems()).toHaveLength(1);
  const failed = refused('alias', 45, 70);
  const end = { ...failed.end, status: 'failed', errors: [{ type: 'IndexNotFound' }] } as unknown as Tracker;
  expect(oracle({ ...failed, end }).made.problems()).toEqual([]);
  expect(oracle({ ...failed, target: 'b', end }).made.problems()).toHaveLength(1);
  const unaccepted = write('a', 56, 57, { end: null, acceptedMs: null, refusal: 'IndexNotFound' });
  expect(oracle({ ...unaccepted, acceptedMs: null }).made.problems()).toEqual([]);
});
