import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ReembedError } from '../../src/contract/errors.ts';
import { type Components, keepRunning, Stopped } from '../../src/runtime/lifecycle.ts';
import { createLogger } from '../../src/runtime/logging.ts';
import { readSettings } from '../../src/settings/settings.ts';

const log = createLogger(readSettings({ REEMBED_LOG_LEVEL: 'silent' }));

function start(work: (components: Components, signal: AbortSignal) => Promise<void>) {
  const controller = new AbortController();
  const said: string[] = [];
  const context = { log, say: (line: string) => void said.push(line), signal: controller.signal };
  const done = keepRunning(context, (components, { signal }) => work(components, signal));
  return { done, said, stop: () => controller.abort(new Stopped()) };
}

const never = new Promise<never>(() => {});

describe('a process', () => {
  test('stops its components in reverse order of their start', async () => {
    const stopped: string[] = [];
    const { done, stop } = start(async (components) => {
      for (const name of ['lock', 'database', 'workers', 'api']) {
        components.add(name, async () => void stopped.push(name), never);
      }
    });
    stop();
    await done;
    expect(stopped).toEqual(['api', 'workers', 'database', 'lock']);
  });

  test('ends with the error of a component that dies, after it stops the others', async () => {
    const stopped: string[] = [];
    const { done } = start(async (components) => {
      components.add('database', async () => void stopped.push('database'));
      components.add('temporal', async () => {}, Promise.resolve(new ReembedError('ServerUnavailable', 'it is gone')));
    });
    await expect(done).rejects.toThrow('it is gone');
    expect(stopped).toEqual(['database']);
  });

  test('aborts its start when a component dies', async () => {
    const { done } = start(async (components, signal) => {
      components.add('temporal', async () => {}, Promise.reject(new Error('it is gone')));
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    await expect(done).rejects.toThrow('it is gone');
  });

  test('stops its started components when the start fails', async () => {
    const stopped: string[] = [];
    const { done } = start(async (components) => {
      components.add('database', async () => void stopped.push('database'));
      throw new Error('no port');
    });
    await expect(done).rejects.toThrow('no port');
    expect(stopped).toEqual(['database']);
  });

  test('ends without an error when it is stopped during its start', async () => {
    const { done, stop } = start(async (_components, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
    });
    stop();
    await done;
  });

  test('stops the others even if one cannot be stopped, and reports that one', async () => {
    const stopped: string[] = [];
    const { done, stop, said } = start(async (components) => {
      components.add('database', async () => void stopped.push('database'));
      components.add('api', async () => Promise.reject(new Error('stuck')));
    });
    stop();
    await done;
    expect(stopped).toEqual(['database']);
    expect(said).toEqual(['api did not stop cleanly: stuck']);
  });

  test('does not wait for a start that ignores the stop, and stops its component later', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const stopped: string[] = [];
    let bring = () => {};
    const { done, stop } = start(async (components) => {
      components.add('database', async () => void stopped.push('database'));
      await new Promise<void>((resolve) => {
        bring = resolve;
      });
      components.add('late', async () => void stopped.push('late'));
    });
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    await done;
    expect(stopped).toEqual(['database']);
    bring();
    await vi.advanceTimersByTimeAsync(1);
    expect(stopped).toEqual(['database', 'late']);
  });
});
