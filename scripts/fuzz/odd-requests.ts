import { ODD_BYTES, ODD_HEADERS, ODD_JSON, ODD_PARAMETERS } from './odd-values.ts';

export interface OddRequest {
  operation: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | null;
}

/** What is read of an OpenAPI document. */
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

interface Schema {
  $ref?: string;
  examples?: unknown[];
  default?: unknown;
}

interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; schema?: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> };
}

/** Stands for a place in an example, in a text that is no part of any. */
const PLACE = '@@here@@';
const METHODS = ['get', 'head', 'put', 'post', 'patch', 'delete'];

/**
 * All requests that are an example of the document with one thing in it made odd: a value of the body at any depth, a key,
 * bytes at a place of the body, a parameter, or a header.
 */
export function* oddRequests(document: Document): Generator<OddRequest> {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) yield* requestsOf(document, path, method, operation);
    }
  }
}

function* requestsOf(document: Document, path: string, method: string, operation: Operation): Generator<OddRequest> {
  const { operationId, parameters = [], requestBody } = operation;
  const example = (schema?: Schema): unknown => {
    const found = schema?.$ref ? document.components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''] : schema;
    return found?.examples?.[0] ?? found?.default;
  };
  const names = new Map(
    parameters.filter((one) => one.in === 'path').map(({ name, schema }) => [name, example(schema)]),
  );
  const at = (odd?: { name: string; value: string }) =>
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      odd?.name === name ? odd.value : encodeURIComponent(String(names.get(name) ?? 'docs')),
    );
  const json = requestBody?.content['application/json'];
  const good = json && (json.example ?? example(json.schema));
  const text = good === undefined ? null : JSON.stringify(good);
  const plain = text === null ? null : Buffer.from(text);
  const type: Record<string, string> = text === null ? {} : { 'content-type': 'application/json' };
  const make = (change: Partial<OddRequest>): OddRequest => ({
    operation: operationId,
    method: method.toUpperCase(),
    path: at(),
    headers: type,
    body: plain,
    ...change,
  });

  for (const { name, in: place } of parameters) {
    for (const value of ODD_PARAMETERS) {
      if (place === 'path') yield make({ path: at({ name, value }) });
      const soon = name === 'wait' ? '&timeout=1' : '';
      if (place === 'query') yield make({ path: `${at()}?${encodeURIComponent(name)}=${value}${soon}` });
    }
  }
  for (const headers of ODD_HEADERS) yield make({ headers: { ...type, ...headers } });
  if (text === null) return;
  for (const body of [...ODD_JSON.map((odd) => Buffer.from(odd)), ...ODD_BYTES]) yield make({ body });
  for (const holed of holesOf(good)) {
    for (const odd of ODD_JSON) yield make({ body: Buffer.from(holed.replace(`"${PLACE}"`, () => odd)) });
  }
  for (const odd of ODD_BYTES) {
    for (let part = 0; part <= 8; part++) {
      const cut = Math.floor((text.length * part) / 8);
      yield make({ body: Buffer.concat([Buffer.from(text.slice(0, cut)), odd, Buffer.from(text.slice(cut))]) });
    }
  }
}

/** The JSON of a value, once for each value and each key in it, which the place stands for there. */
function* holesOf(value: unknown): Generator<string> {
  yield JSON.stringify(PLACE);
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [at, inner] of value.entries()) {
      for (const hole of holesOf(inner))
        yield `[${value.map((one, no) => (no === at ? hole : JSON.stringify(one))).join()}]`;
    }
    return;
  }
  const entries = Object.entries(value);
  for (const [key, inner] of entries) {
    for (const hole of holesOf(inner)) {
      yield `{${entries.map(([name, one]) => `${JSON.stringify(name)}:${name === key ? hole : JSON.stringify(one)}`).join()}}`;
    }
  }
  const rest = entries.map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`).join();
  yield `{${rest}${rest && ','}"unknown":"${PLACE}"}`;
}
