import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findServer } from '../../src/runtime/servers/find.ts';

const GIVE_UP_MS = 20_000;

/** Temporal's own command, as in docs/run.md: a worker deployment is controlled with nothing else. */
export class Deployment {
  private readonly address: string;
  private readonly name: string;
  private readonly namespace: string;

  constructor(address: string, name: string, namespace = 'default') {
    this.address = address;
    this.name = name;
    this.namespace = namespace;
  }

  /** Makes a build current, once its workers have asked for work. */
  setCurrent(buildId: string): Promise<string> {
    return this.eventually('set-current-version', '--build-id', buildId, '--yes');
  }

  ramp(buildId: string, percentage: number): Promise<string> {
    return this.eventually('set-ramping-version', '--build-id', buildId, '--percentage', String(percentage), '--yes');
  }

  private async eventually(command: string, ...args: string[]): Promise<string> {
    for (const endMs = Date.now() + GIVE_UP_MS; ; await sleep(200)) {
      try {
        return await this.run(command, ...args);
      } catch (error) {
        if (Date.now() > endMs) throw error;
      }
    }
  }

  private async run(command: string, ...args: string[]): Promise<string> {
    const cli = await findServer('temporal-cli', { env: process.env, say: () => {} });
    const where = ['--address', this.address, '--namespace', this.namespace, '--deployment-name', this.name];
    const { stdout } = await promisify(execFile)(cli, ['worker', 'deployment', command, ...where, ...args]);
    return stdout;
  }
}
