import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { parse } from 'yaml';
import { SEARCH_ATTRIBUTES } from '../../src/contract/names.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFile(join(root, path), 'utf8');

const COMPOSE = 'temporal-compose.yml';
const REQUIRED = { POSTGRES_PASSWORD: 'p', REEMBED_API_TOKENS: 't' };
/** Services that run once and end; all others run as long as the host. */
const JOBS = ['temporal-schema', 'temporal-namespace', 'migrate'];
/** Services with the image of this repository, and the command of the CLI that each runs. */
const OURS: Record<string, string> = { migrate: 'migrate', api: 'api', worker: 'worker' };
/** Ports that may be published on the host, on loopback unless a variable says otherwise. */
const PUBLISHED: Record<string, { variable: string | undefined; port: string }> = {
  api: { variable: 'REEMBED_PUBLISH_ADDRESS', port: '7400' },
  temporal: { variable: undefined, port: '7233' },
  'temporal-ui': { variable: undefined, port: '8080' },
};

interface Service {
  image: string;
  command?: string[];
  entrypoint?: string[];
  restart?: string;
  environment?: Record<string, string | null>;
  ports?: string[];
  volumes?: string[];
  pull_policy?: string;
  stop_grace_period?: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  deploy?: { resources: { limits: { memory: string } } };
}

interface ComposeFile {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const composeText = await read(COMPOSE);
const compose = parse(composeText, { merge: true }) as ComposeFile;
const services = Object.entries(compose.services);
const longRunning = services.filter(([name]) => !JOBS.includes(name));

/** The variables that a text reads, each with what follows its name, such as `:?` or `:-`. */
function variablesOf(text: string): [name: string, operator: string][] {
  return [...text.matchAll(/(?<!\$)\$\{(\w+)(:?[-?+])?/g)].map(([, name = '', operator = '']) => [name, operator]);
}

describe('the Compose file', () => {
  it('fits the schema of the Compose Specification', async () => {
    const validate = await schemaValidator();
    expect(validate(compose), JSON.stringify(validate.errors, null, 2)).toBe(true);
    expect(validate({ services: { api: { image: 'x', helthcheck: {} } } })).toBe(false);
  });

  it.each(services)('%s has an image with an exact tag', (_name, { image }) => {
    expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$/);
  });

  it('gives its own image the version of the package and never pulls it', async () => {
    const { version } = JSON.parse(await read('package.json')) as { version: string };
    for (const name of Object.keys(OURS)) {
      expect(compose.services[name]).toMatchObject({ image: `reembed:${version}`, pull_policy: 'build' });
    }
  });

  it('runs the server and the tools of Temporal in one version', () => {
    const tags = ['temporal', 'temporal-schema', 'temporal-namespace'].map((name) => tagOf(name));
    expect(new Set(tags).size).toBe(1);
  });

  it.each(longRunning)('%s is started again, checked and limited in memory', (_name, service) => {
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck?.test[0]).toBe('CMD');
    expect(service.deploy?.resources.limits.memory).toMatch(/^\d+[mg]$/);
  });

  it.each(JOBS)('%s runs once', (name) => {
    expect(compose.services[name]?.restart).toBe('no');
  });

  it('waits for jobs to succeed and for services to be healthy', () => {
    for (const [, { depends_on: dependencies = {} }] of services) {
      for (const [on, { condition }] of Object.entries(dependencies)) {
        expect(Object.keys(compose.services)).toContain(on);
        expect(condition).toBe(JOBS.includes(on) ? 'service_completed_successfully' : 'service_healthy');
      }
    }
  });

  it('starts the API and the workers only when the database, Temporal and its namespace are ready', () => {
    for (const name of ['api', 'worker']) {
      expect(reachedFrom(name)).toEqual(
        new Set(['migrate', 'postgres', 'temporal', 'temporal-schema', 'temporal-namespace']),
      );
    }
  });

  it('publishes the API, Temporal and its UI on loopback and nothing else', () => {
    const published = services.filter(([, { ports }]) => ports?.length).map(([name]) => name);
    expect(published.sort()).toEqual(Object.keys(PUBLISHED).sort());
    for (const [name, { variable, port }] of Object.entries(PUBLISHED)) {
      const address = variable ? `\\$\\{${variable}:-127\\.0\\.0\\.1\\}` : '127\\.0\\.0\\.1';
      for (const mapping of compose.services[name]?.ports ?? []) {
        expect(mapping).toMatch(new RegExp(`^${address}:\\$\\{\\w+:-\\d+\\}:${port}$`));
      }
    }
  });

  it('listens beyond loopback only with tokens', () => {
    const { REEMBED_HOST, REEMBED_API_TOKENS } = compose.services.api?.environment ?? {};
    expect(REEMBED_HOST).toBe('0.0.0.0');
    expect(REEMBED_API_TOKENS).toMatch(/^\$\{REEMBED_API_TOKENS:\?.+\}$/);
  });

  it('holds no secret and refuses to start without those it needs', () => {
    for (const [name, operator] of variablesOf(composeText)) {
      expect([name, operator]).toEqual([name, name in REQUIRED ? ':?' : ':-']);
    }
    for (const [name, { environment = {} }] of services) {
      for (const [key, value] of Object.entries(environment)) {
        if (!/PASSWORD|PWD|TOKEN|SECRET|_KEY/.test(key)) continue;
        expect([name, key, value]).toEqual([name, key, value === null ? null : expect.stringMatching(/^\$\{\w+:\?/)]);
      }
    }
  });

  it('has all its variables in env.example, where no secret has a value', async () => {
    const example = await read('deploy/env.example');
    const passedOn = services.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).flatMap(([key, value]) => (value === null ? [key] : [])),
    );
    const taken = new Set([...variablesOf(composeText).map(([name]) => name), ...passedOn]);
    const explained = new Set([...example.matchAll(/^#?(\w+)=/gm)].map(([, name]) => name));
    expect(explained).toEqual(taken);
    for (const name of Object.keys(REQUIRED)) expect(example).toMatch(new RegExp(`^${name}=$`, 'm'));
  });

  it.each(Object.entries(OURS))('%s runs the command `reembed %s`', (name, command) => {
    expect(compose.services[name]?.command).toEqual([command]);
  });

  it('mounts only volumes it declares and files of this repository, and those read-only', async () => {
    for (const [, { volumes = [] }] of services) {
      for (const volume of volumes) {
        const [source = '', , mode] = volume.split(':');
        if (source.startsWith('./')) {
          expect(mode).toBe('ro');
          await access(join(root, source));
        } else {
          expect(Object.keys(compose.volumes)).toContain(source);
        }
      }
    }
  });

  it('gives Postgres as much shared memory as one build of a vector index may use', () => {
    const { command = [], shm_size: shared } = compose.services.postgres as Service & { shm_size: string };
    const memory = command.find((word) => word.startsWith('maintenance_work_mem='))?.split('=')[1];
    expect([memory, shared]).toEqual(['512MB', '1gb']);
  });
});

describe('the set-up of Temporal', () => {
  it.each(['schema.sh', 'namespace.sh'])(
    '%s is a script that a plain shell can read and that stops on errors',
    async (name) => {
      await run('sh', ['-n', join(root, 'deploy/temporal', name)]);
      expect(await read(`deploy/temporal/${name}`)).toMatch(/^#!\/bin\/sh\n(#.*\n)*set -eu\n/);
    },
  );

  it('registers the search attributes of the contract', async () => {
    const script = await read('deploy/temporal/namespace.sh');
    const registered = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);
    const spelled = { KEYWORD: 'Keyword', BOOL: 'Bool', DATETIME: 'Datetime', KEYWORD_LIST: 'KeywordList' };
    expect(registered).toEqual(Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, spelled[type]]));
    for (const name of Object.keys(SEARCH_ATTRIBUTES)) expect(script).toMatch(new RegExp(`${name} (= 'none'|is null)`));
  });

  it('gives the server settings that it can read', async () => {
    expect(parse(await read('deploy/temporal/dynamicconfig.yaml'))).toSatisfy(
      (settings: unknown) => settings === null || typeof settings === 'object',
    );
  });
});

describe('the Compose file, read by the library of docker compose', () => {
  let directory: string;
  let check: string | { skip: string };

  // A first build compiles much of Go's library: some 15 seconds, where later ones take less than one.
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'compose-check-'));
    check = await buildChecker(directory);
    if (typeof check !== 'string') console.warn(`the Compose file was not read by compose-go: ${check.skip}`);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** The checker; skips the test where it cannot be built. */
  function checker(context: TestContext): string {
    return typeof check === 'string' ? check : context.skip(check.skip);
  }

  async function load(context: TestContext, variables: Record<string, string>): Promise<ResolvedProject> {
    const { stdout } = await run(checker(context), [join(root, COMPOSE)], { env: variables });
    return JSON.parse(stdout) as ResolvedProject;
  }

  it('loads, with nothing published beyond loopback', async (context) => {
    const project = await load(context, REQUIRED);
    expect(Object.keys(project.services).sort()).toEqual(Object.keys(compose.services).sort());
    const published = Object.values(project.services).flatMap(({ ports = [] }) => ports);
    expect(published.map(({ host_ip, published, target }) => `${host_ip}:${published}:${target}`).sort()).toEqual([
      '127.0.0.1:7233:7233',
      '127.0.0.1:7400:7400',
      '127.0.0.1:8233:8080',
    ]);
  });

  it('passes on an optional key when it is set', async (context) => {
    const project = await load(context, { ...REQUIRED, OPENAI_API_KEY: 'k' });
    for (const name of ['api', 'worker']) {
      expect(project.services[name]?.environment).toMatchObject({ OPENAI_API_KEY: 'k', REEMBED_ENCRYPTION_KEYS: null });
    }
  });

  it.for(Object.keys(REQUIRED))('does not load without %s', async (name, context) => {
    const missing = { ...REQUIRED, [name]: '' };
    await expect(load(context, missing)).rejects.toThrow(new RegExp(`${name} .*set ${name} in \\.env`));
  });

  it('is checked against the schema of the same version', async (context) => {
    const { stdout } = await run(checker(context), ['--schema']);
    expect(JSON.parse(await read('test/deploy/compose-spec/compose-spec.json'))).toEqual(JSON.parse(stdout));
  });
});

interface ResolvedProject {
  services: Record<
    string,
    {
      ports?: { host_ip?: string; published: string; target: number }[];
      environment?: Record<string, string | null>;
    }
  >;
}

/** Builds compose-check, or returns why not: no Go, an old Go, no modules or no time. Errors in it are thrown. */
async function buildChecker(directory: string): Promise<string | { skip: string }> {
  const cwd = join(root, 'test/deploy/compose-check');
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off', CGO_ENABLED: '0' };
  try {
    await run('go', ['mod', 'download'], { cwd, env, timeout: 20_000 });
  } catch (error) {
    return { skip: `Go or the modules of compose-check cannot be had (${String(error).split('\n')[0]})` };
  }
  const binary = join(directory, process.platform === 'win32' ? 'compose-check.exe' : 'compose-check');
  try {
    await run('go', ['build', '-o', binary, '.'], { cwd, env, timeout: 80_000 });
  } catch (error) {
    if ((error as { killed?: boolean }).killed) return { skip: 'this machine takes too long to build compose-check' };
    throw error;
  }
  return binary;
}

async function schemaValidator() {
  const schema = JSON.parse(await read('test/deploy/compose-spec/compose-spec.json')) as object;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  // Durations of the specification are Go's, not those of ISO 8601.
  ajv.addFormat('duration', /^(\d+(\.\d+)?(h|m|s|ms|us|µs|ns))+$/);
  return ajv.compile(schema);
}

function tagOf(name: string): string | undefined {
  return compose.services[name]?.image.split(':')[1];
}

/** All services that start before this one. */
function reachedFrom(name: string, reached = new Set<string>()): Set<string> {
  for (const on of Object.keys(compose.services[name]?.depends_on ?? {})) {
    if (reached.has(on)) continue;
    reached.add(on);
    reachedFrom(on, reached);
  }
  return reached;
}
