import { z } from 'zod';

/** A host that serves models, and the environment variable whose key may be sent there. */
export interface ModelKey {
  /** Null for a host that is called without a key. */
  variable: string | null;
  /** As in a URL: lower case, with IPv6 addresses in brackets. */
  hostname: string;
  /** Null for any port. */
  port: string | null;
  /** The key may also be sent unencrypted. */
  plain: boolean;
}

/** Keys of well-known providers. A variable that the setting names has only the hosts of the setting. */
const WELL_KNOWN: readonly (readonly [variable: string, ...hosts: string[]])[] = [
  ['OPENAI_API_KEY', 'api.openai.com'],
  ['COHERE_API_KEY', 'api.cohere.com', 'api.cohere.ai'],
  ['DASHSCOPE_API_KEY', 'dashscope.aliyuncs.com', 'dashscope-intl.aliyuncs.com'],
  ['DEEPINFRA_API_KEY', 'api.deepinfra.com'],
  ['FIREWORKS_API_KEY', 'api.fireworks.ai'],
  ['GEMINI_API_KEY', 'generativelanguage.googleapis.com'],
  ['GOOGLE_VERTEX_API_KEY', 'aiplatform.googleapis.com'],
  ['HF_TOKEN', 'router.huggingface.co'],
  ['JINA_API_KEY', 'api.jina.ai'],
  ['MISTRAL_API_KEY', 'api.mistral.ai'],
  ['NVIDIA_API_KEY', 'integrate.api.nvidia.com'],
  ['OPENROUTER_API_KEY', 'openrouter.ai'],
  ['SILICONFLOW_API_KEY', 'api.siliconflow.cn', 'api.siliconflow.com'],
  ['TOGETHER_API_KEY', 'api.together.xyz', 'api.together.ai'],
  ['VOYAGE_API_KEY', 'api.voyageai.com'],
];

export const WELL_KNOWN_KEYS: readonly ModelKey[] = WELL_KNOWN.flatMap(([variable, ...hosts]) =>
  hosts.map((hostname) => ({ variable, hostname, port: null, plain: false })),
);

export const MODEL_KEY_FORM =
  'VARIABLE=host pairs, or a host alone if it needs no key, separated by commas, for instance MISTRAL_API_KEY=api.mistral.ai,models.internal:8080';

/** Variables of reembed and its servers are never model keys. */
const OWN_SETTINGS = /^(?:REEMBED_|TEMPORAL_|DATABASE_|PG|NODE_)/;

/** Parses one written binding; returns undefined when it is not valid. */
export function modelKeyOf(written: string): ModelKey | undefined {
  const [, variable = null, scheme, host = ''] =
    /^(?:([A-Z_][A-Z0-9_]*)=)?(https?:\/\/)?([\w.-]+(?::\d{1,5})?|\[[0-9a-fA-F:.]+\](?::\d{1,5})?)$/.exec(written) ??
    [];
  if (host === '' || OWN_SETTINGS.test(variable ?? '') || !URL.canParse(`http://${host}`)) return undefined;
  const { hostname } = new URL(`http://${host}`);
  const port = /:(\d+)$/.exec(host.replace(/^\[.*\]/, ''))?.[1] ?? null;
  return { variable, hostname, port, plain: scheme === 'http://' || isLoopbackHost(hostname) };
}

/** Returns the bindings of the setting, and those of well-known providers whose variables it does not name. */
export function withWellKnown(own: readonly ModelKey[]): ModelKey[] {
  const named = new Set(own.map(({ variable }) => variable));
  return [...own, ...WELL_KNOWN_KEYS.filter(({ variable }) => !named.has(variable))];
}

/** Schema that reads the setting. */
export const modelKeysSchema = z
  .array(z.string())
  .transform((written) => written.map(modelKeyOf))
  .pipe(z.array(z.custom<ModelKey>((key) => key !== undefined)));

/** Whether a host name or address, as written in a URL, is a loopback address. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
