import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { findServer } from '../../../src/runtime/servers/find.ts';
import { freePort } from '../../../src/runtime/servers/ports.ts';
import { type ServerProcess, startProcess } from '../../../src/runtime/servers/processes.ts';
import { type Balancer, startBalancer } from '../balancer.ts';
import { seenWhen } from '../eventually.ts';
import { startPostgres } from './postgres.ts';

/** A Temporal Server as it is run in production; tests of it are skipped without. */
export const TEMPORAL_SERVER = {
  /** The folder with the programs `server` and `sql` of its Go module, and with its folder `schema`. */
  folder: process.env.REEMBED_TEST_TEMPORAL_SERVER,
  /** The folder with the programs of a Postgres that has `btree_gin`. */
  postgres: process.env.REEMBED_TEST_TEMPORAL_POSTGRES ?? '/usr/lib/postgresql/15/bin',
};

const ROLES = ['frontend', 'history', 'matching', 'worker'] as const;
type Role = (typeof ROLES)[number];
export type TemporalNode = `${Role} ${1 | 2}`;
const NODES = ROLES.flatMap((role) => [`${role} 1`, `${role} 2`] as TemporalNode[]);

const HOST = '127.0.0.1';
const SHARDS = '8';
/** The server takes no higher ports for its membership; those of Linux for connections begin above. */
const PORTS = { from: 20_000, span: 12_000 } as const;
const NAMESPACE = 'reembed';
/** Three days. */
const RETENTION = '72h';

const deploy = (file: string) => fileURLToPath(new URL(`../../../deploy/temporal/${file}`, import.meta.url));

interface Ports {
  grpc: number;
  membership: number;
}

/** Two nodes of each role of a Temporal Server, each a process, over one Postgres, with a balancer before the frontends. */
export class TemporalCluster {
  readonly namespace = NAMESPACE;
  /** `host:port` of the balancer. */
  address = '';
  private readonly folder: string;
  private readonly programs: string;
  private readonly running = new Map<TemporalNode, ServerProcess>();
  private readonly ports = new Map<TemporalNode, Ports>();
  private readonly stops: (() => Promise<void>)[] = [];
  private databasePort = 0;

  /** `folder`: an existing one for its files, which every user can enter. */
  constructor(folder: string, programs: string) {
    this.folder = folder;
    this.programs = programs;
  }

  async start(say: (line: string) => void): Promise<void> {
    const postgres = await startPostgres({
      bin: TEMPORAL_SERVER.postgres,
      dataDir: path.join(this.folder, 'temporal-postgres'),
      settings: { max_connections: 300 },
      env: process.env,
      say,
    });
    this.stops.push(postgres.stop);
    this.databasePort = Number(new URL(postgres.url).port);
    const env = await this.commands(say);
    await this.run(deploy('schema.sh'), {
      ...env,
      ...{ POSTGRES_SEEDS: HOST, DB_PORT: String(this.databasePort), POSTGRES_USER: 'postgres', SQL_PASSWORD: 'none' },
      TEMPORAL_SCHEMA_DIR: path.join(this.programs, 'schema'),
    });
    for (const node of NODES) this.ports.set(node, { grpc: await this.port(), membership: await this.port() });
    const balancer: Balancer = await startBalancer([this.portsOf('frontend 1').grpc, this.portsOf('frontend 2').grpc]);
    this.stops.unshift(balancer.stop);
    this.address = balancer.address;
    await Promise.all(NODES.map((node) => this.startNode(node)));
    await this.run(deploy('namespace.sh'), {
      ...env,
      ...{ TEMPORAL_ADDRESS: this.address, TEMPORAL_NAMESPACE: NAMESPACE, TEMPORAL_RETENTION: RETENTION },
    });
  }

  /** Ends a node like a crash; the result starts it again. */
  async kill(node: TemporalNode): Promise<() => Promise<void>> {
    await this.running.get(node)?.kill();
    this.running.delete(node);
    return () => this.startNode(node);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.running.values()].map((node) => node.stop()));
    for (const stop of this.stops) await stop();
  }

  /** Waits until the process listens: its role may take longer. */
  private async startNode(node: TemporalNode): Promise<void> {
    const [role] = node.split(' ') as [Role];
    const name = node.replace(' ', '-');
    const started = await startProcess({
      title: `Temporal's ${node}`,
      command: path.join(this.programs, 'server'),
      args: ['--allow-no-auth', 'start', '--service', role],
      env: this.variablesOf(node),
      logFile: path.join(this.folder, `${name}.log`),
      stopSignal: 'SIGTERM',
      orphanSignal: 'SIGKILL',
    });
    this.running.set(node, started);
    const isUp = async () =>
      started.hasEnded() || (await freePort(HOST, this.portsOf(node).grpc)) !== this.portsOf(node).grpc;
    await seenWhen(isUp, (up) => up, node);
    if (started.hasEnded()) throw new Error(`${node} has ended: ${await started.logTail()}`);
  }

  private portsOf(node: TemporalNode): Ports {
    return this.ports.get(node) as Ports;
  }

  private async port(): Promise<number> {
    const taken = [...this.ports.values()].flatMap(({ grpc, membership }) => [grpc, membership]);
    for (;;) {
      const port = await freePort(HOST, PORTS.from + Math.floor(Math.random() * PORTS.span));
      if (port < PORTS.from + PORTS.span + 100 && !taken.includes(port)) return port;
    }
  }

  /** The variables of `deploy/temporal/node.env`, with the addresses of this machine. */
  private variablesOf(node: TemporalNode): NodeJS.ProcessEnv {
    const number = node.split(' ')[1] as '1' | '2';
    const ports = ROLES.flatMap((role) => {
      const { grpc, membership } = this.portsOf(`${role} ${number}` as TemporalNode);
      return [
        [`${role.toUpperCase()}_GRPC_PORT`, String(grpc)],
        [`${role.toUpperCase()}_MEMBERSHIP_PORT`, String(membership)],
      ];
    });
    return {
      ...process.env,
      ...parseEnv(readFileSync(deploy('node.env'), 'utf8')),
      ...Object.fromEntries(ports),
      ...{ POSTGRES_SEEDS: HOST, DB_PORT: String(this.databasePort), POSTGRES_USER: 'postgres', POSTGRES_PWD: 'none' },
      ...{ BIND_ON_IP: HOST, TEMPORAL_BROADCAST_ADDRESS: HOST, NUM_HISTORY_SHARDS: SHARDS },
      ...{ CLUSTER_RPC_ADDRESS: this.address },
      // Every frontend would take the port of HTTP.
      ...{ FRONTEND_HTTP_PORT: '0', DYNAMIC_CONFIG_FILE_PATH: deploy('dynamicconfig.yaml') },
    };
  }

  /** The commands that the scripts in `deploy` expect on the path. */
  private async commands(say: (line: string) => void): Promise<NodeJS.ProcessEnv> {
    const bin = path.join(this.folder, 'bin');
    mkdirSync(bin);
    symlinkSync(await findServer('temporal-cli', { env: process.env, say }), path.join(bin, 'temporal'));
    symlinkSync(path.join(this.programs, 'sql'), path.join(bin, 'temporal-sql-tool'));
    return { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  }

  private async run(script: string, env: NodeJS.ProcessEnv): Promise<void> {
    await promisify(execFile)('sh', [script], { env });
  }
}

/** Returns the folder of the programs; undefined, with a line, if there is none to test with. */
export function temporalServerFolder(): string | undefined {
  const { folder } = TEMPORAL_SERVER;
  if (folder === undefined) {
    console.warn('NO REEMBED_TEST_TEMPORAL_SERVER: the tests of a Temporal Server with several nodes are SKIPPED');
    return undefined;
  }
  for (const file of ['server', 'sql', 'schema']) {
    if (!existsSync(path.join(folder, file))) throw new Error(`REEMBED_TEST_TEMPORAL_SERVER: ${folder} has no ${file}`);
  }
  return path.resolve(folder);
}
