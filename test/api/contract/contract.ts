import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { errorTypeOf } from '../../../src/contract/problem.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of every shape, walked by what OpenAPI says of it
type Json = any;

export interface Operation {
  id: string;
  method: string;
  path: string;
  json: Json;
}

/** An answer as received. */
export interface Seen {
  method: string;
  /** As sent, with or without the query. */
  path: string;
  status: number;
  headers: Headers;
  body: string;
}

const PROBLEM = 'application/problem+json';
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
/** Pages for people, which are not operations. */
const PAGES = ['/', '/docs', '/openapi.json'];

/**
 * Compares answers with an OpenAPI document. An outcome is one documented way to answer: `getIndex 200
 * application/json`, `getIndex 404 IndexNotFound`, `deleteAlias 204`.
 */
export class Contract {
  readonly operations: Operation[];
  readonly outcomes = new Set<string>();
  readonly #document: Json;
  readonly #ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: unknown) {
    this.#document = JSON.parse(JSON.stringify(document));
    this.operations = Object.entries<Json>(this.#document.paths).flatMap(([path, item]) =>
      METHODS.flatMap((method) =>
        item[method] ? [{ id: item[method].operationId, method, path, json: item[method] }] : [],
      ),
    );
    const closed = closeObjects(JSON.parse(JSON.stringify(this.#document)));
    this.#ajv.addSchema({ $id: 'document', ...this.#document });
    this.#ajv.addSchema({ $id: 'closed', ...closed });
  }

  operation(id: string): Operation {
    const found = this.operations.find((one) => one.id === id);
    if (!found) throw new Error(`the document has no operation ${id}`);
    return found;
  }

  /** Every documented outcome of the operations, or of some. */
  documented(operations: readonly Operation[] = this.operations): string[] {
    return operations.flatMap(({ id, json }) =>
      Object.entries<Json>(json.responses).flatMap(([status, reference]) => {
        const { content } = this.deref(reference);
        if (!content) return [`${id} ${status}`];
        return Object.entries<Json>(content).flatMap(([type, { schema }]) =>
          type === PROBLEM
            ? problemTypes(schema).map((problem) => `${id} ${status} ${problem}`)
            : [`${id} ${status} ${type}`],
        );
      }),
    );
  }

  /** Resolves a reference in the document. */
  deref(value: Json): Json {
    if (typeof value?.$ref !== 'string') return value;
    return value.$ref
      .slice(2)
      .split('/')
      .reduce((inner: Json, key: string) => inner[key], this.#document);
  }

  /** Returns how a value violates a schema of the document; empty if it is valid. */
  mismatches(schema: Json, value: unknown): string[] {
    const validate = this.#ajv.compile(absolute(schema, 'document'));
    return validate(value) ? [] : [this.#ajv.errorsText(validate.errors)];
  }

  /** Returns how an answer deviates from the document; empty if it matches. Records the outcome. */
  check({ method, path, status, headers, body }: Seen): string[] {
    const pathname = path.replace(/\?.*$/, '');
    const operation = this.#find(method, pathname);
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    if (!operation) return PAGES.includes(pathname) ? [] : this.#checkNowhere(status, type, headers);
    const reference = operation.json.responses[status];
    if (!reference) return [`${operation.id} does not document the status ${status}: ${body.slice(0, 300)}`];
    const response = this.deref(reference);
    const at = `${operation.id} ${status}`;
    const wrong = [...this.#checkHeaders(at, response, headers)];
    if (!response.content) {
      this.outcomes.add(at);
      return body === '' ? wrong : [...wrong, `${at} documents no body: ${body.slice(0, 300)}`];
    }
    const isRef = reference !== response;
    const base = isRef
      ? reference.$ref
      : `#/paths/${pointerTo(operation.path)}/${operation.method}/responses/${status}`;
    if (!response.content[type]) return [...wrong, `${at} does not document the content type ${type}`];
    for (const value of valuesOf(type, body)) {
      const errors = this.#validate(`${base}/content/${pointerTo(type)}/schema`, value);
      if (errors) wrong.push(`${at}: ${errors} in ${JSON.stringify(value).slice(0, 500)}`);
    }
    for (const [, name, data] of type === 'text/event-stream' ? body.matchAll(/^event: (.*)\ndata: (.*)$/gm) : []) {
      const schema = name === 'tasks' ? 'TaskList' : 'Tracker';
      const errors = this.#validate(`#/components/schemas/${schema}`, JSON.parse(data as string));
      if (errors) wrong.push(`${at}: ${errors} in an event`);
    }
    this.outcomes.add(`${at} ${type === PROBLEM ? errorTypeOf(JSON.parse(body).type) : type}`);
    return wrong;
  }

  #find(method: string, pathname: string): Operation | undefined {
    const fits = this.operations.filter(
      (one) =>
        one.method === (method === 'HEAD' ? 'get' : method.toLowerCase()) &&
        new RegExp(`^${one.path.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
    );
    return fits.sort((a, b) => a.path.split('{').length - b.path.split('{').length)[0];
  }

  /** Checks the answer of an address without an operation. */
  #checkNowhere(status: number, type: string, headers: Headers): string[] {
    const allowed = status === 405 && headers.get('allow') !== null;
    // Middleware runs first and does not depend on the address.
    if ([401, 403, 404, 413].includes(status) || allowed) return type === PROBLEM ? [] : [`${status} is no problem`];
    return [`what is not documented answers ${status}`];
  }

  *#checkHeaders(at: string, response: Json, headers: Headers): Generator<string> {
    for (const [name, reference] of Object.entries<Json>(response.headers ?? {})) {
      const { required, schema } = this.deref(reference);
      const value = headers.get(name);
      if (value === null) {
        if (required) yield `${at} lacks the header ${name}`;
        continue;
      }
      const sent = schema.type === 'integer' ? Number(value) : value;
      for (const mismatch of this.mismatches(schema, sent)) yield `${at}: the header ${name}: ${mismatch}`;
    }
  }

  #validate(pointer: string, value: unknown): string | undefined {
    let validate = this.#validators.get(pointer);
    if (!validate) {
      validate = this.#ajv.compile({ $ref: `closed${pointer}` });
      this.#validators.set(pointer, validate);
    }
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }
}

function problemTypes(schema: Json): string[] {
  const types = (schema.allOf ?? []).flatMap((one: Json) => one.properties?.type?.enum ?? []);
  if (types.length === 0) throw new Error('a problem that does not tell its types');
  return types.map(errorTypeOf);
}

/** Returns the values of a body that its schema describes. */
function valuesOf(type: string, body: string): unknown[] {
  if (type === 'application/x-ndjson')
    return body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return [/[/+]json$/.test(type) ? JSON.parse(body) : body];
}

/** Makes undocumented fields an error: clients may ignore such fields, but the server must not send them. */
function closeObjects(value: Json, open = false): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (!open && value.properties && value.additionalProperties === undefined && typeof value.type === 'string') {
    value.additionalProperties = false;
  }
  for (const [key, inner] of Object.entries(value))
    closeObjects(inner, key === 'allOf' || (open && Array.isArray(value)));
  return value;
}

function absolute(schema: Json, id: string): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#', `"$ref":"${id}#`));
}

function pointerTo(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
}
