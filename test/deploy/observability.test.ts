import { readFileSync } from 'node:fs';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS, type MetricSpec } from '../../src/contract/metrics.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Metrics of Prometheus itself and of the core of Temporal's SDK, with the labels that are used here. */
const FOREIGN: Record<string, readonly string[]> = {
  up: [],
  temporal_workflow_task_execution_failed_total: ['workflow_type'],
  temporal_worker_task_slots_available: ['worker_type', 'task_queue'],
};

/** The labels of each existing series. Scraping adds two. */
const SERIES = new Map(
  [
    ...Object.values<MetricSpec>(METRICS).flatMap(({ name, type, labels }) =>
      type === 'histogram'
        ? [
            [`${name}_bucket`, [...labels, 'le']] as const,
            [`${name}_count`, labels] as const,
            [`${name}_sum`, labels] as const,
          ]
        : [[name, labels] as const],
    ),
    ...Object.entries(FOREIGN),
  ].map(([name, labels]) => [name, new Set([...labels, 'job', 'instance'])]),
);

/** The series and labels in an expression. Throws for invalid PromQL. */
function seriesOf(expression: string) {
  const series: { name: string; labels: string[] }[] = [];
  const grouped: string[] = [];
  const textOf = ({ from, to }: SyntaxNode) => expression.slice(from, to);
  const namesIn = (node: SyntaxNode, kind: string): string[] => {
    const found: string[] = [];
    node.cursor().iterate((inner) => {
      if (inner.name === kind) found.push(textOf(inner.node));
    });
    return found;
  };
  parser.parse(expression).iterate({
    enter({ type, node, from, name }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expression}`);
      if (name === 'VectorSelector') {
        const [metric = ''] = namesIn(node, 'Identifier');
        series.push({ name: metric, labels: namesIn(node, 'LabelName') });
      }
      if (name === 'GroupingLabels') grouped.push(...namesIn(node, 'LabelName'));
    },
  });
  return { series, grouped };
}

/** Fails when an expression uses missing series or labels. */
function check(expression: string): { labels: Set<string> } {
  const { series, grouped } = seriesOf(expression);
  expect(series.length, expression).toBeGreaterThan(0);
  for (const { name, labels } of series) {
    const known = SERIES.get(name);
    expect(known, `${name} in ${expression}`).toBeDefined();
    for (const label of labels) expect([...(known ?? [])], `${label} of ${name}`).toContain(label);
  }
  const ofAny = new Set(series.flatMap(({ name }) => [...(SERIES.get(name) ?? [])]));
  for (const label of grouped) expect([...ofAny], `${label} in ${expression}`).toContain(label);
  return { labels: new Set([...grouped, ...(grouped.length === 0 ? ofAny : [])]) };
}

/** As GitHub and VitePress make them. */
const anchors = (page: string) =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(' ', '-')
      .replace(/[^\w-]/g, ''),
  );

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; runbook: string };
}

const rules: Rule[] = parse(read('deploy/observability/reembed.rules.yml')).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
);

describe('the alert', () => {
  test.each(rules)('$alert uses existing metrics and labels, and links to instructions', (rule) => {
    const { labels } = check(rule.expr);
    const { summary, runbook } = rule.annotations;
    for (const [, label = ''] of summary.matchAll(/\$labels\.(\w+)/g)) expect([...labels]).toContain(label);
    expect(rule.labels.severity).toMatch(/^(warning|critical)$/);
    const [page = '', anchor] = runbook.split('#');
    expect(anchor).toBe(rule.alert.toLowerCase());
    expect(anchors(read(page))).toContain(anchor);
  });

  test('has a unique name, and every runbook has its alert', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const described = [...read('docs/operate.md').matchAll(/^### (Reembed\w+)$/gm)].map(([, name]) => name);
    expect(described.sort()).toEqual(names.sort());
  });

  test('is named by its own tests', () => {
    const { tests } = parse(read('deploy/observability/reembed.rules.test.yml'));
    const tried = tests.flatMap((one: { alert_rule_test: { alertname: string }[] }) =>
      one.alert_rule_test.map(({ alertname }) => alertname),
    );
    expect(rules.map(({ alert }) => alert)).toEqual(expect.arrayContaining(tried));
  });
});

test.each([
  'sum(reembed_nothing)',
  'sum by (colour) (reembed_scrape_error)',
  'reembed_scrape_error{colour="red"}',
  'sum(',
])('a mistake is detected: %s', (expression) => {
  expect(() => check(expression)).toThrow();
});

interface Panel {
  id: number;
  type: string;
  title: string;
  datasource?: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { refId: string; expr: string; legendFormat: string; datasource: { uid: string } }[];
}

describe('the dashboard', () => {
  const dashboard = JSON.parse(read('deploy/observability/grafana-dashboard.json'));
  const panels: Panel[] = dashboard.panels;
  const shown = panels.filter(({ type }) => type !== 'row');

  test.each(shown)('shows "$title" by existing metrics and labels', ({ targets = [] }) => {
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of targets) {
      const { labels } = check(expr.replaceAll('$__rate_interval', '5m'));
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect([...labels]).toContain(label);
    }
  });

  test('asks for its data source when it is imported', () => {
    expect(dashboard.templating.list).toMatchObject([{ name: 'datasource', type: 'datasource', query: 'prometheus' }]);
    const sources = shown.flatMap(({ datasource, targets = [] }) => [
      datasource,
      ...targets.map((one) => one.datasource),
    ]);
    expect(new Set(sources.map((one) => one?.uid))).toEqual(new Set([`$${'{datasource}'}`]));
    expect([dashboard.uid, dashboard.title, dashboard.id]).toEqual(['reembed', 'reembed', undefined]);
  });

  test('has panels with unique ids, none of which covers another', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
  });

  test('omits no metric of the product', () => {
    const asked = new Set(
      [...shown.flatMap(({ targets = [] }) => targets), ...rules].flatMap(({ expr }) =>
        seriesOf(expr.replaceAll('$__rate_interval', '5m')).series.map(({ name }) =>
          name.replace(/_(bucket|count|sum)$/, ''),
        ),
      ),
    );
    const unseen = Object.values<MetricSpec>(METRICS).flatMap(({ name }) => (asked.has(name) ? [] : [name]));
    // Max numbers, and series that accompany others.
    expect(unseen).toEqual([
      'reembed_task_attempts_total',
      'reembed_tombstones_removed_total',
      'reembed_database_connections_max',
      'reembed_build_info',
      'reembed_schedules',
      'reembed_scrape_duration_seconds',
    ]);
  });
});
