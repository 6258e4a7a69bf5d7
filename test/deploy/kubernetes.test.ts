import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { createHealthRouter } from '../../src/api/health.ts';
import { SETTINGS, TEMPORAL_VARIABLES } from '../../src/settings/table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = path.join(root, 'deploy/kubernetes');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

interface Container {
  name: string;
  image: string;
  args: string[];
  env?: { name: string; value: string }[];
  envFrom: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  ports?: { name: string; containerPort: number }[];
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: object;
  [probe: `${string}Probe`]: { httpGet?: { path: string; port: string }; exec?: { command: string[] } } | undefined;
}

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  data?: Record<string, string>;
  spec?: {
    replicas?: number;
    selector?: { matchLabels: Record<string, string> };
    podSelector?: { matchLabels?: Record<string, string> };
    ports?: { targetPort: string }[];
    template?: {
      metadata: { labels: Record<string, string> };
      spec: Record<string, unknown> & { containers: Container[] };
    };
  };
}

interface Kustomization {
  resources: string[];
  nameSuffix?: string;
  labels: { pairs: Record<string, string>; includeSelectors: boolean }[];
  images: { name: string; newTag: string }[];
}

const parts = ['base', 'release'].map((name) => ({
  name,
  kustomization: parse(readFileSync(path.join(folder, name, 'kustomization.yaml'), 'utf8')) as Kustomization,
  files: readdirSync(path.join(folder, name)).filter((file) => file !== 'kustomization.yaml'),
}));
const manifests = parts.flatMap(({ name, files }) =>
  files.flatMap((file) =>
    parseAllDocuments(readFileSync(path.join(folder, name, file), 'utf8')).map((each) => each.toJS() as Manifest),
  ),
);
const named = manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const);
const pods = named.flatMap(([name, { spec }]) => (spec?.template ? [[name, spec.template.spec] as const] : []));
const workers = manifests.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name !== 'reembed-api');
const component = 'app.kubernetes.io/component';

const schema = JSON.parse(read('test/deploy/kubernetes-schema/kubernetes.json')) as { kinds: Record<string, object> };
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(schema, 'kubernetes');
/** Errors of Kubernetes in a manifest. */
function errorsOf(manifest: Manifest): unknown[] {
  const kind = `${manifest.apiVersion}/${manifest.kind}`;
  const pointer = kind.replaceAll('~', '~0').replaceAll('/', '~1');
  if (!(kind in schema.kinds)) return [`no schema of ${kind}`];
  const validate = ajv.getSchema(`kubernetes#/kinds/${pointer}`);
  return validate?.(manifest) ? [] : (validate?.errors ?? ['no schema']);
}

describe('the manifests of Kubernetes', () => {
  it.each(named)('%s fits its schema', (_name, each) => {
    expect(errorsOf(each)).toEqual([]);
  });

  it('do not fit with a misspelled word or a number as text', () => {
    const [deployment] = workers as [Manifest];
    const container = deployment.spec?.template?.spec.containers[0];
    const wrong = structuredClone(deployment);
    Object.assign(wrong.spec?.template?.spec.containers[0] as object, { imagePulPolicy: 'Always' });
    expect(container && errorsOf(wrong)).toHaveLength(1);
    expect(errorsOf({ ...deployment, spec: { ...deployment.spec, replicas: '2' as never } })).not.toEqual([]);
  });

  it('are all named in their kustomization, which sets the version of the package and a suffix like it', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    for (const { name, kustomization, files } of parts) {
      expect([name, ...kustomization.resources.toSorted()]).toEqual([name, ...files.toSorted()]);
      expect(kustomization.images).toEqual([{ name: 'reembed', newTag: version }]);
    }
    expect(parts[1]?.kustomization.nameSuffix).toBe(`-${version.replaceAll('.', '-')}`);
    expect(parts[1]?.kustomization.labels[0]?.pairs['app.kubernetes.io/version']).toBe(version);
  });

  it.each(pods)(
    '%s runs as an unprivileged user, cannot change files, and has no token of Kubernetes',
    (_name, pod) => {
      expect(pod).toMatchObject({
        serviceAccountName: 'reembed',
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      for (const { securityContext } of pod.containers) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    },
  );

  it.each(pods)('%s gets no variables for Services, which would be taken for settings', (_name, pod) => {
    expect(pod.enableServiceLinks).toBe(false);
  });

  it.each(pods)('%s has a memory request and limit', (_name, pod) => {
    for (const { resources } of pod.containers) {
      expect(resources).toEqual({
        requests: { cpu: expect.any(String), memory: expect.stringMatching(/Mi$/) },
        limits: { memory: expect.stringMatching(/[MG]i$/) },
      });
    }
  });

  it('takes settings that exist, and secrets from a Secret alone', () => {
    const known = [...Object.values(SETTINGS).map(({ variable }) => variable), ...Object.keys(TEMPORAL_VARIABLES)];
    const secrets = Object.values(SETTINGS).flatMap(({ variable, secret }) => (secret ? [variable] : []));
    const given = [
      ...manifests.flatMap(({ kind, data = {} }) => (kind === 'ConfigMap' ? Object.keys(data) : [])),
      ...pods.flatMap(([, { containers }]) => containers.flatMap(({ env = [] }) => env.map(({ name }) => name))),
    ];
    for (const name of given) expect(known).toContain(name);
    for (const name of given) expect(secrets).not.toContain(name);
    for (const [, { containers }] of pods) {
      expect(containers[0]?.envFrom).toEqual([
        { configMapRef: { name: 'reembed' } },
        { secretRef: { name: 'reembed' } },
      ]);
    }
    expect(manifests.some(({ kind }) => kind === 'Secret')).toBe(false);
  });

  it('checks health where there is an endpoint', async () => {
    const answers = async () => {};
    const router = createHealthRouter({ database: answers, temporal: answers });
    let probes = 0;
    for (const [, { containers }] of pods) {
      for (const container of containers) {
        for (const probe of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) {
          const { httpGet, exec } = container[probe] ?? {};
          if (httpGet) expect((await router.request(httpGet.path)).status).toBe(200);
          if (httpGet) expect(container.ports?.map(({ name }) => name)).toContain(httpGet.port);
          if (exec) expect(read(exec.command[1] as string)).toContain('process.exit');
          if (httpGet ?? exec) probes++;
        }
      }
    }
    expect(probes).toBe(5);
  });

  it('gives each process the time to end that its settings name', () => {
    const config = manifests.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
    for (const { metadata, spec } of manifests.filter(({ kind }) => kind === 'Deployment')) {
      const pod = spec?.template?.spec;
      const own = Object.fromEntries((pod?.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
      // Workers are killed ten seconds after their grace period.
      const drain = metadata.name === 'reembed-api' ? Number(own.REEMBED_DRAIN_SECONDS) : 10;
      const needed = drain + Number(config.REEMBED_SHUTDOWN_SECONDS);
      expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(needed + 10);
    }
  });

  it('runs two of each, spread over the nodes, and at most one may be unavailable', () => {
    const deployments = manifests.filter(({ kind }) => kind === 'Deployment');
    expect(deployments.map(({ metadata }) => metadata.name)).toEqual([
      'reembed-api',
      'reembed-control',
      'reembed-embed',
    ]);
    for (const { spec } of deployments) {
      const labels = spec?.template?.metadata.labels ?? {};
      expect(spec?.replicas).toBe(2);
      expect(spec?.template?.spec.topologySpreadConstraints).toMatchObject([
        { labelSelector: { matchLabels: labels } },
      ]);
      const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget');
      expect(budgets.map((budget) => budget.spec?.selector?.matchLabels[component])).toContain(labels[component]);
    }
  });

  it('allows incoming connections to the API only', () => {
    const [all, api] = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
    expect(all?.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect(all?.spec).not.toHaveProperty('ingress');
    expect(all?.spec?.podSelector?.matchLabels).toEqual({ 'app.kubernetes.io/name': 'reembed' });
    expect(api?.spec?.podSelector?.matchLabels).toEqual({ [component]: 'api' });
  });

  it('starts each worker with its role, as the build that its image is', () => {
    for (const { spec } of workers) {
      const [container] = spec?.template?.spec.containers ?? [];
      expect(container?.args).toEqual(['worker', '--role', spec?.selector?.matchLabels[component]]);
      expect(container?.env?.map(({ name }) => name)).toEqual(['REEMBED_BUILD_ID']);
    }
  });
});

describe('the Compose file', () => {
  it('sets only variables that reembed or its models know', () => {
    const compose = parse(read('temporal-compose.yml'), { merge: true }) as {
      services: Record<string, { environment?: Record<string, unknown> }>;
    };
    const known = [...Object.values(SETTINGS).map(({ variable }) => variable), ...Object.keys(TEMPORAL_VARIABLES)];
    for (const name of ['migrate', 'api', 'worker']) {
      for (const variable of Object.keys(compose.services[name]?.environment ?? {})) {
        expect([...known, 'PGPASSWORD', 'OPENAI_API_KEY']).toContain(variable);
      }
    }
  });
});
