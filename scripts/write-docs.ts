/** Writes the generated tables of the pages in docs/: `npx tsx scripts/write-docs.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { AHEAD_SIZES, DEPLOYMENT, tablesOfReport } from '../bench/costs/pages.ts';
import type { CostsReport } from '../bench/costs/report.ts';
import { API_ACCESS } from '../src/api/access.ts';
import { EXIT, EXIT_MEANINGS } from '../src/cli/errors.ts';
import { DOCTOR_CHECKS } from '../src/contract/doctor.ts';
import { ERROR_KINDS } from '../src/contract/errors.ts';
import { METRICS, type MetricSpec } from '../src/contract/metrics.ts';
import { MODEL_PRESETS, type ModelPreset } from '../src/contract/model-presets.ts';
import { ROLE_MEANINGS } from '../src/contract/roles.ts';
import { STATUSES } from '../src/contract/status.ts';
import { EFFECTS, STEERING, STEERING_CALLS } from '../src/contract/steering.ts';
import { SETTINGS, TEMPORAL_VARIABLES } from '../src/settings/table.ts';
import { commands } from './docs/cli.ts';
import { code, plain, table } from './docs/markdown.ts';

export const PAGES = ['tasks', 'security', 'cli', 'settings', 'errors', 'operate', 'models', 'audit', 'scale'].map(
  (name) => new URL(`../docs/${name}.md`, import.meta.url),
);

/** Splits a camel-case name into words: `stopsLater` becomes stops later. */
const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The generated parts of the pages, by the name that marks their place. */
const PARTS: Record<string, string> = {
  statuses: table(
    ['status', 'meaning', 'next statuses'],
    Object.entries(STATUSES).map(([status, { means, next }]) => [code(status), means, next.map(code).join(', ')]),
  ),
  steering: table(
    ['the task is', ...STEERING_CALLS],
    Object.entries(STEERING).map(([state, row]) => [state, ...STEERING_CALLS.map((call) => words(row[call]))]),
  ),
  effects: table(
    ['effect', 'what happens and what the call returns'],
    Object.entries(EFFECTS).map(([effect, { means }]) => [words(effect), means]),
  ),
  roles: table(
    ['role', 'rights'],
    Object.entries(ROLE_MEANINGS).map(([role, meaning]) => [code(role), meaning]),
  ),
  access: table(
    ['route', 'minimum role'],
    Object.entries(API_ACCESS)
      .filter(([route, access]) => API_ACCESS[routeOfAllTypes(route)] !== access || route === routeOfAllTypes(route))
      .map(([route, access]) => [
        code(route.replaceAll(/:(\w+)/g, '{$1}')),
        access === 'open' ? 'no token' : code(access),
      ]),
  ),
  exits: table(
    ['exit code', 'meaning'],
    Object.entries(EXIT).map(([name, exit]) => [code(String(exit)), EXIT_MEANINGS[name as keyof typeof EXIT]]),
  ),
  checks: table(
    ['check', 'severity', 'what it means', 'what to do'],
    Object.entries(DOCTOR_CHECKS).map(([check, { severity, means, todo }]) => [
      code(check),
      severity,
      plain(means),
      plain(todo),
    ]),
  ),
  commands: table(['command', 'description'], commands()),
  settings: table(
    ['variable', 'meaning', 'must be', 'default'],
    Object.values(SETTINGS).map(({ variable, meaning, expected, default: preset }) => [
      code(variable),
      plain(meaning),
      plain(expected),
      preset ? code(preset) : 'none',
    ]),
  ),
  'settings of Temporal': table(
    ['variable', 'meaning'],
    Object.entries(TEMPORAL_VARIABLES).map(([variable, { meaning }]) => [code(variable), plain(meaning)]),
  ),
  models: table(
    ['model', 'dimensions', 'window in tokens', 'filled in as well', 'source'],
    MODEL_PRESETS.map((preset) => [
      preset.names.map(code).join(', '),
      `${preset.dimensions}${preset.canShorten ? ', others if asked' : ''}`,
      String(preset.windowTokens),
      filledIn(preset),
      `[page](${preset.source})`,
    ]),
  ),
  'metrics of the API': metricsFrom('api'),
  'metrics of workers': metricsFrom('worker'),
  'metrics of both': metricsFrom('process'),
  'metrics of the state': metricsFrom('state'),
  errors: table(
    ['type', 'HTTP status', 'meaning', 'retryable'],
    Object.entries(ERROR_KINDS).map(([type, { status, title, retryable }]) => [
      code(type),
      String(status),
      title,
      retryable ? 'yes' : 'no',
    ]),
  ),
  ...costs(),
};

/** What `npm run costs` has measured. */
function costs(): Record<string, string> {
  const report: CostsReport = JSON.parse(readFileSync(new URL('../bench/reports/costs.json', import.meta.url), 'utf8'));
  const tables = tablesOfReport(report, { deployment: DEPLOYMENT, ahead: AHEAD_SIZES });
  return Object.fromEntries(Object.entries(tables).map(([name, { head, rows }]) => [name, table(head, rows)]));
}

/** Describes what else is known of a model. */
function filledIn({ queryPrefix, documentPrefix, sendRole, normalize, shutdown }: ModelPreset): string {
  const parts = [
    queryPrefix && `queries begin with ${code(JSON.stringify(queryPrefix))}`,
    documentPrefix && `documents with ${code(JSON.stringify(documentPrefix))}`,
    sendRole === false && '`sendRole: false`',
    normalize && '`normalize: true` if shortened',
    shutdown && `**turned off on ${shutdown.on}**: use ${code(shutdown.use)}`,
  ];
  return parts.filter(Boolean).join(', ');
}

/** Makes the table of the metrics from the given sources. */
function metricsFrom(...from: MetricSpec['from'][]): string {
  return table(
    ['metric', 'type', 'labels', 'description'],
    Object.values<MetricSpec>(METRICS)
      .filter((spec) => from.includes(spec.from))
      .map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), plain(help)]),
  );
}

/** Returns the route of all tasks for a route of one type; only routes with a different role are listed. */
function routeOfAllTypes(route: string): string {
  return route.replace(/ \/v1\/tasks\/[a-z-]+\/(?=\w)/, ' /v1/tasks/');
}

/** Returns the page with its generated parts updated. */
export function withTables(page: string): string {
  return Object.entries(PARTS).reduce(
    (text, [name, part]) =>
      text.replace(
        new RegExp(`(<!-- ${name}: made by scripts/write-docs.ts -->\\n)[\\s\\S]*?(<!-- end -->)`),
        (_all, start: string, end: string) => `${start}\n${part}\n\n${end}`,
      ),
    page,
  );
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const page of PAGES) writeFileSync(page, withTables(readFileSync(page, 'utf8')));
}
