import type { Client } from '@temporalio/client';
import { ReembedError } from '../contract/errors.ts';
import type { DeclaredSchedule } from './schedules.ts';
import type { AnyTask } from './task.ts';

/** Through what a registry's tasks are sent. */
export interface JobConnection {
  client: Client;
  /** The Temporal task queue of the workflows, as in `REEMBED_TASK_QUEUE`. */
  taskQueue: string;
  /** Before the first job is sent: throws when it would come to nobody. */
  check?: (() => Promise<void>) | undefined;
}

/** Definitions by name, and the connection through which they are sent. */
export class Registry {
  readonly #tasks = new Map<string, AnyTask>();
  readonly #schedules = new Map<string, DeclaredSchedule>();
  #connection: JobConnection | undefined;

  /** All definitions, in the order in which they were made. */
  get tasks(): readonly AnyTask[] {
    return [...this.#tasks.values()];
  }

  get(name: string): AnyTask | undefined {
    return this.#tasks.get(name);
  }

  /** @throws ReembedError `NameTaken` when another definition has the name */
  add(task: AnyTask): void {
    const there = this.#tasks.get(task.name);
    if (there === task) return;
    if (there) throw new ReembedError('NameTaken', `there is a task ${task.name} already: a name has one definition`);
    this.#tasks.set(task.name, task);
  }

  /** The schedules that the code declares, in the order in which it does. */
  get schedules(): readonly DeclaredSchedule[] {
    return [...this.#schedules.values()];
  }

  /** @throws ReembedError `NameTaken` when the task has declared one of this key already */
  declare(schedule: DeclaredSchedule): void {
    const { name, key } = schedule;
    const signature = `${name}/${key}`;
    if (this.#schedules.has(signature)) {
      throw new ReembedError('NameTaken', `${name} declares the schedule ${key} twice: give each a key of its own`);
    }
    this.#schedules.set(signature, schedule);
  }

  /** Sends jobs through this connection from now on. */
  connect({ check, ...connection }: JobConnection): void {
    this.#connection = { ...connection, check: check && onceGood(check) };
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** @throws ReembedError `NotConnected` */
  get connection(): JobConnection {
    if (this.#connection) return this.#connection;
    throw new ReembedError('NotConnected', 'call connectJobs() before sending jobs: nobody has said where to');
  }
}

/** What was good once is not asked again. */
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

/** A registry of its own, for tests and for programs with several sets of tasks. */
export function createRegistry(): Registry {
  return new Registry();
}

const GLOBAL = Symbol.for('reembed.jobs.registry');

/**
 * The registry of the tasks that name none. It is one for the process even where the package is loaded twice, by the
 * program and by the command line that runs its tasks.
 */
export function globalRegistry(): Registry {
  const holder = globalThis as { [GLOBAL]?: Registry };
  holder[GLOBAL] ??= createRegistry();
  return holder[GLOBAL];
}
