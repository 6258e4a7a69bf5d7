import { messageOf, ReembedError } from '../contract/errors.ts';
import { given } from '../settings/read.ts';
import { version } from '../version.ts';
import type { Components } from './lifecycle.ts';
import type { ProcessContext } from './process-context.ts';

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
const PACKAGES = '@opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-proto @opentelemetry/resources';
/** Max. time to flush traces, so that an unresponsive collector does not delay a stop for long. */
const FLUSH_MS = 3_000;

/** Returns the variable that enables tracing by naming an endpoint; undefined if tracing is off. */
function askedFor(env: NodeJS.ProcessEnv): string | undefined {
  if (given(env, 'OTEL_SDK_DISABLED') === 'true' || given(env, 'OTEL_TRACES_EXPORTER') === 'none') return undefined;
  return ENDPOINTS.find((variable) => given(env, variable) !== undefined);
}

/**
 * Starts sending traces by OTLP over HTTP to the endpoint in OpenTelemetry's variables, and returns true if one is set.
 * Call it before anything that should be traced.
 * @throws ReembedError `InvalidSetting` if tracing is enabled but the optional packages are not installed.
 */
export async function startTracing(
  components: Components,
  { env, service }: { env: NodeJS.ProcessEnv; service: 'reembed-api' | 'reembed-worker' | 'reembed-dev' },
  { log }: ProcessContext,
): Promise<boolean> {
  const variable = askedFor(env);
  if (variable === undefined) return false;
  const { NodeTracerProvider, BatchSpanProcessor, OTLPTraceExporter, resources } = await load(variable);
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service, 'service.version': version }))
      // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  components.add('traces', () => withinMs(provider.shutdown(), FLUSH_MS));
  log.info({ variable }, 'traces are sent');
  return true;
}

async function load(variable: string) {
  try {
    const [sdk, exporter, resources] = await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
    ]);
    return { ...sdk, ...exporter, resources };
  } catch (error) {
    throw new ReembedError(
      'InvalidSetting',
      `${variable} is set, but the packages that send traces are not installed (npm install ${PACKAGES}): ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function withinMs(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
