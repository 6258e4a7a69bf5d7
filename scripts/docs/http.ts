import { createApi } from '../../src/api/app.ts';
import { openApiDocument } from '../../src/api/document.ts';
import { blocks, code, fence, plain, table } from './markdown.ts';
import { namesIn, propertyRows, type Schema, typeText } from './schemas.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;
const SCHEMAS = 'schemas';

interface Media {
  schema?: Schema;
  example?: unknown;
}

interface Reply {
  description?: string;
  content?: Record<string, Media>;
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content?: Record<string, Media> };
  responses?: Record<string, Reply | { $ref: string }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  tags: { name: string; description: string }[];
  components: { schemas: Record<string, Schema>; responses: Record<string, Reply> };
}

/** Creates the pages of the HTTP API by name, from the OpenAPI document that the API serves. */
export function httpPages(): { name: string; text: string }[] {
  const document = documentOfApi();
  const tags = document.tags.map(({ name, description }) => ({
    name: name.replace(/\W+/g, '-'),
    text: blocks(`# ${name}`, plain(description), ...operationsOf(document, name)),
  }));
  return [...tags, { name: SCHEMAS, text: schemasPage(document) }];
}

/** Creates the document. The API's dependencies are not used: only its routes are read. */
function documentOfApi(): Document {
  const nothing = {} as never;
  const app = createApi({ db: nothing, client: nothing, models: nothing, taskQueue: 'reembed', log: nothing });
  return openApiDocument(app) as unknown as Document;
}

function operationsOf(document: Document, tag: string): string[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation?.tags?.includes(tag) ? [operationSection(method, path, operation, document)] : [];
    }),
  );
}

function operationSection(method: string, path: string, operation: Operation, document: Document): string {
  const { summary = '', description = '', parameters = [], requestBody, responses = {} } = operation;
  return blocks(
    `## ${method.toUpperCase()} ${path.replaceAll(/[{}]/g, (brace) => (brace === '{' ? '&#123;' : '&#125;'))}`,
    `**${plain(summary)}**${description && `. ${plain(description)}`}`,
    parameters.length > 0
      ? table(
          ['parameter', 'in', 'type', ''],
          parameters.map((each) => [
            code(each.name) + (each.required ? ' (required)' : ''),
            each.in,
            typeText(each.schema ?? {}, SCHEMAS),
            plain(each.description ?? ''),
          ]),
        )
      : undefined,
    ...Object.entries(requestBody?.content ?? {}).map(([type, media]) => bodyText(type, media, document)),
    table(
      ['response', 'body', ''],
      Object.entries(responses).map(([status, reply]) => {
        const { description: means = '', content = {} } = replyOf(reply, document);
        const bodies = Object.entries(content).map(([type, { schema }]) => `${code(type)} ${namesIn(schema, SCHEMAS)}`);
        return [status, bodies.join('<br>'), plain(means)];
      }),
    ),
  ).trimEnd();
}

function bodyText(type: string, { schema, example }: Media, document: Document): string {
  const named = schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) as string] : schema;
  const [first = example] = named?.examples ?? [];
  const shown = typeof first === 'string' ? first : first === undefined ? '' : JSON.stringify(first, null, 2);
  return blocks(
    `Body, ${code(type)}: ${schema ? typeText(schema, SCHEMAS) : 'any'}. ${schema?.$ref ? '' : plain(schema?.description ?? '')}`,
    shown && fence('json', shown),
  ).trimEnd();
}

function replyOf(reply: Reply | { $ref: string }, { components }: Document): Reply {
  return '$ref' in reply ? (components.responses[reply.$ref.split('/').at(-1) as string] ?? {}) : reply;
}

function schemasPage({ components }: Document): string {
  return blocks(
    '# Bodies',
    'JSON bodies of requests and responses.',
    ...Object.entries(components.schemas).map(([name, schema]) => {
      const rows = propertyRows(schema, '');
      return blocks(
        `## ${name}`,
        plain(schema.description ?? ''),
        rows.length > 0 ? table(['field', 'type', ''], rows) : `Type: ${typeText(schema, '')}`,
      ).trimEnd();
    }),
  );
}
