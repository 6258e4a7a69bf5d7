import { expect, test } from 'vitest';
import { InFlight } from '../../../src/activities/support/in-flight.ts';

/** Work that a test ends. */
function piece() {
  let end = () => {};
  let fail = (_error: Error) => {};
  const done = new Promise<void>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { work: () => done, end, fail };
}

test('work in flight is bounded, and another piece begins once one has ended', async () => {
  const inFlight = new InFlight(2);
  const [one, two] = [piece(), piece()];
  await inFlight.add(one.work);
  let mayGoOn = false;
  const adding = inFlight.add(two.work).then(() => {
    mayGoOn = true;
  });
  await Promise.resolve();
  expect(mayGoOn).toBe(false);
  two.end();
  await adding;
  one.end();
  await inFlight.end();
});

test('an error of work in flight is thrown where the next piece is added, and at the end', async () => {
  const inFlight = new InFlight(2);
  const [one, two] = [piece(), piece()];
  await inFlight.add(one.work);
  one.fail(new Error('failed'));
  await expect(inFlight.add(two.work)).rejects.toThrow('failed');
  await expect(inFlight.end()).rejects.toThrow('failed');
  let isSettled = false;
  const settling = inFlight.settle().then(() => {
    isSettled = true;
  });
  await Promise.resolve();
  expect(isSettled).toBe(false);
  two.end();
  await settling;
});
