import { parseArgs } from 'node:util';
import { VARIANTS, WHOLE } from './checks.ts';
import { missingTool, runCheck } from './run-check.ts';

/**
 * Runs all checks of the protocol for `npm run model`. Exit code 1 if a result is unexpected, 2 without the checker.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { trail: { type: 'boolean', default: false } } });
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const missing = await missingTool();
  if (missing) {
    say(`${missing} is missing: install SPIN and gcc (Debian: apt-get install spin gcc)`);
    return 2;
  }
  let wrong = 0;
  for (const check of [...VARIANTS, ...WHOLE]) {
    const { found, states, seconds, trail } = await runCheck(check);
    const isRight = found === check.expects;
    if (!isRight) wrong += 1;
    const result = found === 'none' ? 'no violation' : 'violation found';
    say(`${isRight ? 'right' : 'WRONG'}  ${check.name}: ${result}, ${states} states, ${seconds.toFixed(1)} s`);
    if (trail !== null && (values.trail || !isRight)) say(trail);
  }
  say(wrong === 0 ? 'all checks as expected' : `${wrong} checks not as expected`);
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();
