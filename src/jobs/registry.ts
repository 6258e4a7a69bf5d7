import { ReembedError } from '../contract/errors.ts';
import type { AnyTask, DeclaredSchedule, JobConnection, Registry } from './types.ts';

class TaskRegistry implements Registry {
  readonly #tasks = new Map<string, AnyTask>();
  readonly #schedules = new Map<string, DeclaredSchedule>();
  #connection: JobConnection | undefined;

  get tasks(): readonly AnyTask[] {
    return [...this.#tasks.values()];
  }

  get(name: string): AnyTask | undefined {
    return this.#tasks.get(name);
  }

  add(task: AnyTask): void {
    const there = this.#tasks.get(task.name);
    if (there === task) return;
    if (there) throw new ReembedError('NameTaken', `there is already a task ${task.name}: names must be unique`);
    this.#tasks.set(task.name, task);
  }

  get schedules(): readonly DeclaredSchedule[] {
    return [...this.#schedules.values()];
  }

  declare(schedule: DeclaredSchedule): void {
    const { name, key } = schedule;
    const signature = `${name}/${key}`;
    if (this.#schedules.has(signature)) {
      throw new ReembedError('NameTaken', `${name} declares the schedule ${key} twice: use different keys`);
    }
    this.#schedules.set(signature, schedule);
  }

  connect({ check, ...connection }: JobConnection): void {
    this.#connection = { ...connection, check: check && onceGood(check) };
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get connection(): JobConnection {
    if (this.#connection) return this.#connection;
    throw new ReembedError('NotConnected', 'call connectJobs() before sending jobs');
  }
}

/** Runs a check until it succeeds once. */
function onceGood(check: () => Promise<void>): () => Promise<void> {
  let checked: Promise<void> | undefined;
  return () => {
    checked ??= check().catch((error: unknown) => {
      checked = undefined;
      throw error;
    });
    return checked;
  };
}

/** Creates a separate registry, for tests and for programs with several sets of tasks. */
export function createRegistry(): Registry {
  return new TaskRegistry();
}

const GLOBAL = Symbol.for('reembed.jobs.registry');

/**
 * Returns the default registry. A process has only one, even if the package is loaded twice, by the program and by the
 * command line that runs its tasks.
 */
export function globalRegistry(): Registry {
  const holder = globalThis as { [GLOBAL]?: Registry };
  holder[GLOBAL] ??= createRegistry();
  return holder[GLOBAL];
}
