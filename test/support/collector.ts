import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';

/** The part of OTLP that the tests use. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
    repeated KeyValue attributes = 9;
  }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`);
const Request = root.lookupType('Request');

export interface CollectedSpan {
  service: string;
  traceId: string;
  id: string;
  parentId: string;
  name: string;
  attributes: Record<string, unknown>;
}

export interface Collector {
  url: string;
  spans: CollectedSpan[];
  /** Everything that was sent, unchanged. */
  received: Buffer[];
  close(): void;
}

/** Accepts traces as an OpenTelemetry collector does: OTLP over HTTP, in protobuf. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const received: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.url !== '/v1/traces') return void response.writeHead(404).end();
    received.push(body);
    spans.push(...read(body));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function read(body: Buffer): CollectedSpan[] {
  // biome-ignore lint/suspicious/noExplicitAny: as the schema above has it
  const { resourceSpans = [] } = Request.toObject(Request.decode(body), { longs: Number }) as any;
  const hex = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString('hex');
  // biome-ignore lint/suspicious/noExplicitAny: the same
  const record = (pairs: any[] = []) =>
    Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
  // biome-ignore lint/suspicious/noExplicitAny: the same
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: the same
    scopeSpans.flatMap(({ spans = [] }: any) =>
      // biome-ignore lint/suspicious/noExplicitAny: the same
      spans.map((span: any) => ({
        service: record(resource?.attributes)['service.name'],
        traceId: hex(span.traceId),
        id: hex(span.spanId),
        parentId: hex(span.parentSpanId),
        name: span.name,
        attributes: record(span.attributes),
      })),
    ),
  );
}
