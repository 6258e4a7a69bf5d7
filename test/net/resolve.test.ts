import { expect, test } from 'vitest';
import type { ResolvedAddress } from '../../src/net/addresses.ts';
import { createResolver } from '../../src/net/resolve.ts';

const FOUND = [{ address: '192.0.2.1', family: 4 }];

/** A resolver whose answers are delayed. */
function held() {
  const asked: string[] = [];
  const answers = new Map<string, (found: ResolvedAddress[]) => void>();
  const look = (hostname: string) => {
    asked.push(hostname);
    return new Promise<ResolvedAddress[]>((resolve) => answers.set(hostname, resolve));
  };
  return { look, asked, answer: (hostname: string) => answers.get(hostname)?.(FOUND) };
}

test('names are looked up a few at a time, each once for all concurrent requests', async () => {
  const { look, asked, answer } = held();
  const resolve = createResolver({ atOnce: 2, look });
  const all = ['a', 'a', 'b', 'c', 'a'].map((hostname) => resolve(hostname));
  await expect.poll(() => asked).toEqual(['a', 'b']);
  answer('a');
  await expect.poll(() => asked).toEqual(['a', 'b', 'c']);
  answer('b');
  answer('c');
  expect(await Promise.all(all)).toEqual(Array(5).fill(FOUND));
});

test('a slow name fails in time and keeps its slot until it is answered', async () => {
  const { look, asked, answer } = held();
  const resolve = createResolver({ atOnce: 1, timeoutMs: 300, look });
  const late = { code: 'ETIMEOUT' };
  await expect(resolve('slow')).rejects.toMatchObject(late);
  await expect(resolve('other')).rejects.toMatchObject(late);
  expect(asked).toEqual(['slow']);
  answer('slow');
  const again = resolve('quick');
  await expect.poll(() => asked, { interval: 5 }).toContain('quick');
  answer('quick');
  expect(await again).toEqual(FOUND);
  expect(asked).not.toContain('other');
});

test('lookups that cannot wait any longer fail immediately', async () => {
  const { look } = held();
  const resolve = createResolver({ atOnce: 1, maxWaiting: 1, timeoutMs: 10_000, look });
  void resolve('a').catch(() => {});
  await new Promise((done) => setImmediate(done));
  void resolve('b').catch(() => {});
  await expect(resolve('c')).rejects.toMatchObject({ code: 'EAGAIN' });
});

test('a name that was not answered in time fails at once, also after its lookup has failed', async () => {
  const asked: string[] = [];
  let fail = () => {};
  const look = (hostname: string) => {
    asked.push(hostname);
    return new Promise<ResolvedAddress[]>((_, reject) => {
      fail = () => reject(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }));
    });
  };
  const resolve = createResolver({ atOnce: 1, timeoutMs: 300, look });
  const late = { code: 'ETIMEOUT', syscall: 'getaddrinfo' };
  await expect(resolve('silent')).rejects.toMatchObject(late);
  fail();
  await expect(resolve('silent')).rejects.toMatchObject(late);
  expect(asked).toEqual(['silent']);
});

test('a name that is answered too late is looked up again', async () => {
  const { look, asked, answer } = held();
  const resolve = createResolver({ atOnce: 1, timeoutMs: 300, look });
  await expect(resolve('slow')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  answer('slow');
  const again = () => {
    const found = resolve('slow');
    answer('slow');
    return found.catch(() => undefined);
  };
  await expect.poll(again, { timeout: 90_000 }).toEqual(FOUND);
  expect(new Set(asked)).toEqual(new Set(['slow']));
});
