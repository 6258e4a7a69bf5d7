import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** The part of an OpenAPI 3.1 document that the page uses. */
interface Operation {
  operationId?: string;
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: unknown }[];
  requestBody?: { content?: Record<string, { schema?: unknown }> };
  responses?: Record<string, Reply | { $ref: string }>;
}

interface Reply {
  description?: string;
  content?: Record<string, { schema?: unknown }>;
  headers?: Record<string, unknown>;
}

export interface Document {
  info: { title: string; version: string; description?: string };
  paths?: Record<string, Record<string, Operation>>;
  tags?: { name: string; description?: string }[];
  components?: { schemas?: Record<string, unknown>; responses?: Record<string, Reply> };
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
code,pre{font:13px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.7rem;overflow:auto;border-radius:6px}
section{border-top:1px solid var(--line);padding:.6rem 0}
h3{margin:.3rem 0;font-size:1rem;overflow-wrap:anywhere}
.method{display:inline-block;min-width:4rem;font-weight:700;text-transform:uppercase}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line)}
nav ul{columns:18rem;list-style:none;padding:0}
`;

/** Renders a plain HTML page with head and style, without scripts. */
export function page(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>`;
}

/**
 * Renders the reference page of an OpenAPI document. The usual viewers load megabytes of script from another site,
 * which an installation without internet access cannot reach.
 */
export function referencePage(document: Document): Html {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [{ path, method, operation: item[method] }] : [])),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags ?? []))];
  const { title, version, description = '' } = document.info;
  return page(
    `${title} ${version}: reference`,
    html`<h1>${title} <small>${version}</small></h1>
<p>${description} The same as <a href="/openapi.json">OpenAPI</a>.</p>
<nav><ul>${operations.map(
      ({ path, method, operation }) =>
        html`<li><a href="#${anchorOf(path, method, operation)}"><code>${method.toUpperCase()} ${path}</code></a></li>`,
    )}</ul></nav>
${tags.map(
  (tag) => html`<h2>${tag}</h2>
<p>${document.tags?.find(({ name }) => name === tag)?.description ?? ''}</p>
${operations
  .filter(({ operation }) => operation.tags?.includes(tag))
  .map(({ path, method, operation }) => operationSection(path, method, operation, document))}`,
)}
<h2>schemas</h2>
${Object.entries(document.components?.schemas ?? {}).map(
  ([name, schema]) => html`<section id="schema-${name}"><h3>${name}</h3>${schemaBlock(schema)}</section>`,
)}`,
  );
}

function operationSection(path: string, method: string, operation: Operation, document: Document): Html {
  const parameters = operation.parameters ?? [];
  return html`<section id="${anchorOf(path, method, operation)}">
<h3><span class="method">${method}</span> <code>${path}</code></h3>
<p><strong>${operation.summary}</strong>${operation.description ? html`<br>${operation.description}` : ''}</p>
${
  parameters.length === 0
    ? ''
    : html`<table><tr><th>parameter</th><th>in</th><th></th></tr>${parameters.map(
        ({ name, in: place, required, description, schema }) =>
          html`<tr><td><code>${name}</code>${required ? '' : ' (optional)'}</td><td>${place}</td><td>${description ?? ''} <code>${JSON.stringify(schema)}</code></td></tr>`,
      )}</table>`
}
${Object.entries(operation.requestBody?.content ?? {}).map(
  ([type, { schema }]) => html`<p>Body, <code>${type}</code></p>${schemaBlock(schema)}`,
)}
<table><tr><th>answer</th><th></th></tr>${Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const { description, content, headers } = replyOf(response, document);
    return html`<tr><td>${status}</td><td>${description} ${answerTypes(content)}${headerNames(headers)}</td></tr>`;
  })}</table>
</section>`;
}

function replyOf(response: Reply | { $ref: string }, { components }: Document): Reply {
  if (!('$ref' in response)) return response;
  return components?.responses?.[response.$ref.replace('#/components/responses/', '')] ?? {};
}

function headerNames(headers: Record<string, unknown> = {}): Html {
  return html`${Object.keys(headers).map((name) => html`<code>${name}</code> `)}`;
}

function anchorOf(path: string, method: string, operation: Operation): string {
  return operation.operationId ?? method + path.replaceAll(/[^\w]+/g, '-');
}

function answerTypes(content: Record<string, { schema?: unknown }> = {}): Html[] {
  return Object.entries(content).map(([type, { schema }]) => {
    // In the `allOf` of a problem the first entry is the schema; the second lists the possible types.
    const { $ref, allOf } = (schema ?? {}) as { $ref?: string; allOf?: { $ref?: string }[] };
    const name = refName($ref ?? allOf?.[0]?.$ref);
    return html`<code>${type}</code>${name ? html` <a href="#schema-${name}">${name}</a>` : ''} `;
  });
}

function schemaBlock(schema: unknown): Html {
  const lines = JSON.stringify(schema, null, 2)?.split('\n') ?? [];
  return html`<pre>${lines.map((line) => {
    const name = refName(/"\$ref": "([^"]+)"/.exec(line)?.[1]);
    return html`${name ? html`<a href="#schema-${name}">${line}</a>` : line}\n`;
  })}</pre>`;
}

function refName(ref: string | undefined): string | undefined {
  return ref?.replace('#/components/schemas/', '');
}
