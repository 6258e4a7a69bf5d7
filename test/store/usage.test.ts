import { expect, it } from 'vitest';
import { openUsage, readUsage, recordTexts, recordUsage, setBudget } from '../../src/store/usage.ts';
import { onBothDatabases } from '../support/databases.ts';
import { uniqueName } from './builders.ts';

const ONE = { calls: 1, tokens: 10, estimatedTokens: 4, usd: 0.5 };

onBothDatabases((database) => {
  it('the usage of a task is the sum of what all processes record', async () => {
    const { db } = database();
    const [task, other, model] = [uniqueName('task'), uniqueName('task'), `openai/${uniqueName('m')}`];
    await openUsage(db, task, { tokens: 100 }, false);
    await Promise.all([task, task, task, other].map((id) => recordUsage(db, id, model, ONE)));
    await Promise.all([2, 3].map((reused) => recordTexts(db, task, { reused, truncated: 1 })));
    expect(await readUsage(db, task, model)).toEqual({
      ...{ calls: 3, tokens: 30, estimatedTokens: 12, usd: 1.5, reused: 5, truncated: 2, budget: { tokens: 100 } },
      today: { calls: 4, tokens: 40, usd: 2 },
    });
  });

  it('a change of a budget keeps the limits that it does not name', async () => {
    const { db } = database();
    const task = uniqueName('task');
    await openUsage(db, task, { tokens: 100, usd: 5 }, false);
    await setBudget(db, task, { tokens: 200, calls: 7 });
    expect((await readUsage(db, task, 'openai/m')).budget).toEqual({ tokens: 200, usd: 5, calls: 7 });
    await setBudget(db, task, { usd: null });
    expect((await readUsage(db, task, 'openai/m')).budget).toEqual({ tokens: 200, calls: 7 });
  });

  it('a task that runs again continues to count with its raised budget, and another one of its id begins anew', async () => {
    const { db } = database();
    const [task, model] = [uniqueName('task'), `openai/${uniqueName('m')}`];
    await openUsage(db, task, { tokens: 100 }, false);
    await recordUsage(db, task, model, ONE);
    await setBudget(db, task, { tokens: 200 });
    await openUsage(db, task, { tokens: 100 }, true);
    expect(await readUsage(db, task, model)).toMatchObject({ tokens: 10, budget: { tokens: 200 } });
    await openUsage(db, task, { tokens: 50 }, false);
    expect(await readUsage(db, task, model)).toMatchObject({ tokens: 0, budget: { tokens: 50 } });
  });
});
