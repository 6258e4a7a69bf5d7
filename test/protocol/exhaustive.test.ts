import { describe, expect, it } from 'vitest';
import { QUICK, VARIANTS } from '../../model/checks.ts';
import { missingTool, runCheck } from '../../model/run-check.ts';

const missing = await missingTool();
if (missing) process.stdout.write(`the exhaustive model is skipped: ${missing} is missing\n`);

describe.skipIf(missing)('the exhaustive model of the protocol', { timeout: 300_000 }, () => {
  it.each(VARIANTS)('the checker finds a violation $name', async (check) => {
    expect((await runCheck(check)).found).toBe('violation');
  });

  it('the checker finds no violation in the whole protocol', async () => {
    const { found, states, trail } = await runCheck(QUICK);
    expect(found, trail ?? '').toBe('none');
    expect(states).toBeGreaterThan(100_000);
  });
});
