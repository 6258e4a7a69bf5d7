import type { OpenAPIHono } from '@hono/zod-openapi';
import { ERROR_KINDS, type ErrorType } from '../contract/errors.ts';
import { errorTypeOf, PROBLEM_MEDIA_TYPE, problemTypeOf } from '../contract/problem.ts';
import type { Role } from '../contract/roles.ts';
import { factsOf, TASK_TYPES } from '../contract/task-types.ts';
import { version } from '../version.ts';
import { type Access, API_ACCESS } from './access.ts';
import type { ApiEnv } from './create-router.ts';

type OpenApiDocument = ReturnType<OpenAPIHono<ApiEnv>['getOpenAPI31Document']>;
type Operation = NonNullable<NonNullable<OpenApiDocument['paths']>[string]['get']>;
type Response = NonNullable<Operation['responses']>[string];

const TAGS: Record<string, string> = {
  indexes: 'Objects and their vectors, embedded by exactly one model.',
  aliases: 'Stable names, each of which points to one index.',
  objects: 'What is in an index.',
  sources: 'Tables of a database that indexes follow.',
  search: 'What is nearest to a text or a vector.',
  'query sets': 'Queries, with or without judgments, by which two indexes are compared.',
  tasks: 'All work that is tracked, of every type: its state, its progress and its control.',
  ...Object.fromEntries(TASK_TYPES.map((type) => [`tasks: ${type}`, factsOf(type).group])),
  jobs: "The user's own functions: which there are, and runs of them.",
  schedules: 'When jobs run again and again.',
  operation: 'The process itself.',
};

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** Builds the OpenAPI document of an app: what its routes declare plus what applies to all of them. */
export function openApiDocument(app: OpenAPIHono<ApiEnv>): OpenApiDocument {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'Needed if the server was given tokens.',
  });
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'reembed',
      version,
      description:
        'Keeps vector indexes right while they are written to and rebuilt. Every error is a `Problem`, whose `type` is stable.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, {}],
  });
  const used = new Set<string>();
  const responses: Record<string, Response> = {};
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      for (const tag of operation.tags ?? []) used.add(tag);
      const access = accessOf(path, method);
      if (access !== 'open') tellRole(operation, access);
      complete(operation, { access }, responses);
    }
  }
  document.tags = Object.entries(TAGS).flatMap(([name, description]) =>
    used.has(name) ? [{ name, description }] : [],
  );
  document.components = { ...document.components, headers: HEADERS, responses };
  return document;
}

const HEADERS = {
  'X-Request-Id': {
    description: 'Names the request in the log: the one sent along, or a new one.',
    required: true,
    schema: { type: 'string' as const },
  },
  'Retry-After': {
    description: 'Seconds to wait.',
    required: true,
    schema: { type: 'integer' as const },
  },
  'WWW-Authenticate': { description: 'How to send a token.', required: true, schema: { type: 'string' as const } },
};

const headerRef = (name: keyof typeof HEADERS) => ({ [name]: { $ref: `#/components/headers/${name}` } });

/** Returns the access of a route. A route missing in the table is refused to all roles, so it must not look open. */
function accessOf(path: string, method: string): Access {
  return API_ACCESS[`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`] ?? 'admin';
}

function tellRole(operation: Operation, role: Role): void {
  const needed = `Needs the role \`${role}\`.`;
  operation.description = operation.description ? `${operation.description} ${needed}` : needed;
  Object.assign(operation, { 'x-role': role });
}

interface Door {
  access: Access;
}

/** Errors of the middleware before the routes, possible for any request. */
function commonErrors(operation: Operation, { access }: Door): ErrorType[] {
  return [
    ...(access === 'open' ? [] : (['Unauthorized', 'TooManyRequests'] as const)),
    'Forbidden',
    ...(operation.requestBody ? (['TooLarge', 'UnsupportedMedia'] as const) : []),
    'WrongHost',
    'HeadersTooLarge',
  ];
}

/** Adds the errors and headers common to all operations; problem responses are shared by reference. */
function complete(operation: Operation, door: Door, shared: Record<string, Response>): void {
  const responses = { ...operation.responses };
  for (const type of commonErrors(operation, door)) responses[ERROR_KINDS[type].status] ??= problem(type);
  for (const [status, response] of Object.entries(responses)) {
    const headers = {
      ...response.headers,
      // An answer to unreadable headers has no request id yet.
      ...(status !== '431' && headerRef('X-Request-Id')),
      ...(status === '401' && headerRef('WWW-Authenticate')),
      ...(status === '429' && headerRef('Retry-After')),
    };
    const whole = { ...response, ...(Object.keys(headers).length > 0 && { headers }) };
    const name = problemTypesOf(response).sort().join('Or');
    if (name) shared[name] = whole;
    responses[status] = name ? { $ref: `#/components/responses/${name}` } : whole;
  }
  operation.responses = responses;
}

function problem(type: ErrorType): Response {
  const narrowed = { type: 'object' as const, properties: { type: { enum: [problemTypeOf(type)] } } };
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, narrowed] };
  return {
    description: `\`${type}\`: ${ERROR_KINDS[type].title}.`,
    content: { [PROBLEM_MEDIA_TYPE]: { schema } },
  };
}

/** Returns the error types that a response is narrowed to; none if it is not a problem. */
function problemTypesOf(response: Response): ErrorType[] {
  const { schema } = response.content?.[PROBLEM_MEDIA_TYPE] ?? {};
  return (schema?.allOf ?? []).flatMap(({ properties }: { properties?: Record<string, { enum?: string[] }> }) =>
    (properties?.type?.enum ?? []).flatMap((type) => errorTypeOf(type) ?? []),
  );
}
