import {
  type Evaluation,
  type EvaluationMetric,
  type EvaluationSide,
  METRIC_NAMES,
  type Scores,
  type Verdict,
} from '../contract/evaluation.ts';
import { groupText, intervalText, latencyText, scoreText, signedText } from '../contract/evaluation-texts.ts';
import { fields, oneLine, table } from './output.ts';

/** Exit code for each verdict. */
export const EVALUATION_EXIT: Readonly<Record<Verdict, number>> = { go: 0, 'no-go': 1, inconclusive: 3 };

/** Queries and objects shown; `--json` has all of them. */
const SHOWN = { queries: 5, results: 3, chars: 60 };

/** Formats a report for people. */
export function evaluationText(report: Evaluation): string {
  return [
    `${report.verdict}: ${report.right.index} against ${report.left.index}, ${report.queries} queries of ${report.querySet}, ${report.judged} of them judged`,
    report.reasons.map(({ verdict, text }) => oneLine(`  ${verdict}: ${text}`)).join('\n'),
    sidesText(report),
    scoresText(report),
    fields([
      ['overlap', scoreText(report.agreement.overlap)],
      ['rank-biased overlap', scoreText(report.agreement.rbo)],
      ['displacement', `${scoreText(report.agreement.displacement)} places`],
    ]),
    hnswText(report),
    breakdownText(report),
    changedText(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function sidesText({ left, right }: Evaluation): string {
  const rows: [string, EvaluationSide][] = [
    ['left', left],
    ['right', right],
  ];
  return table(
    rows,
    [
      { title: 'SIDE', value: ([side]) => side },
      { title: 'INDEX', value: ([, { index }]) => index },
      { title: 'MODEL', value: ([, { model }]) => model },
      { title: 'OBJECTS', value: ([, { objects }]) => objects, right: true },
      { title: 'EMPTY', value: ([, { empty }]) => empty, right: true },
      { title: 'MISSING', value: ([, { missing }]) => missing.judgments, right: true },
      { title: 'EXACT P50', value: ([, { exact }]) => latencyText(exact.p50Ms), right: true },
      { title: 'P95', value: ([, { exact }]) => latencyText(exact.p95Ms), right: true },
    ],
    '',
  );
}

function scoresText({ left, right, differences, k }: Evaluation): string {
  if (!differences) return '';
  return table(
    Object.keys(METRIC_NAMES) as EvaluationMetric[],
    [
      { title: `AT ${k}`, value: (metric) => METRIC_NAMES[metric] },
      { title: 'LEFT', value: (metric) => scoreOf(left.scores, metric), right: true },
      { title: 'RIGHT', value: (metric) => scoreOf(right.scores, metric), right: true },
      { title: 'DIFFERENCE', value: (metric) => signedText(differences[metric].mean), right: true },
      { title: 'INTERVAL', value: (metric) => intervalText(differences[metric]), right: true },
      { title: 'BETTER', value: (metric) => differences[metric].better, right: true },
      { title: 'EQUAL', value: (metric) => differences[metric].equal, right: true },
      { title: 'WORSE', value: (metric) => differences[metric].worse, right: true },
    ],
    '',
  );
}

function hnswText({ left, right }: Evaluation): string {
  const rows = (['left', 'right'] as const).flatMap((side) => {
    return (side === 'left' ? left : right).hnsw.map((one) => ({ side, ...one }));
  });
  return table(
    rows,
    [
      { title: 'HNSW', value: ({ side }) => side },
      { title: 'EF_SEARCH', value: ({ efSearch, isDefault }) => `${efSearch}${isDefault ? ' (used)' : ''}` },
      { title: 'RECALL', value: ({ recall }) => (recall === null ? '' : scoreText(recall)), right: true },
      { title: 'P50', value: ({ p50Ms }) => latencyText(p50Ms), right: true },
      { title: 'P95', value: ({ p95Ms }) => latencyText(p95Ms), right: true },
    ],
    'no HNSW index: all searches are exact',
  );
}

function breakdownText({ breakdown, thresholds }: Evaluation): string {
  if (!breakdown) return '';
  const metric = thresholds.metric as EvaluationMetric;
  const shown = table(
    breakdown.groups,
    [
      { title: breakdown.field.toUpperCase(), value: groupText },
      { title: 'QUERIES', value: ({ queries }) => queries, right: true },
      { title: `LEFT ${METRIC_NAMES[metric]}`, value: ({ left }) => scoreOf(left, metric), right: true },
      { title: 'RIGHT', value: ({ right }) => scoreOf(right, metric), right: true },
      { title: 'DIFFERENCE', value: ({ difference }) => difference && signedText(difference.mean), right: true },
      { title: 'INTERVAL', value: ({ difference }) => difference && intervalText(difference), right: true },
      { title: 'OVERLAP', value: ({ agreement }) => scoreText(agreement.overlap), right: true },
    ],
    '',
  );
  return breakdown.omitted === 0 ? shown : `${shown}\n… ${breakdown.omitted} more values`;
}

function changedText({ changed }: Evaluation): string {
  if (changed.length === 0) return 'no query has another result';
  const shown = changed.slice(0, SHOWN.queries).map(({ text, change, left, right }) => {
    const rows = Array.from({ length: SHOWN.results }, (_, at) => [left.results[at], right.results[at]] as const);
    const side = (result: (typeof rows)[number][0]) => {
      if (!result) return '';
      const text = oneLine(result.text).slice(0, SHOWN.chars);
      return `${result.id}${result.grade === null ? '' : ` [${result.grade}]`}  ${text}`;
    };
    const both = table(
      rows.filter(([before, after]) => before ?? after),
      [
        { title: '  LEFT', value: ([before]) => `  ${side(before)}` },
        { title: 'RIGHT', value: ([, after]) => side(after) },
      ],
      '  nothing on either side',
    );
    return `${signedText(change)}  ${oneLine(text).slice(0, 100)}\n${both}`;
  });
  return `the queries that change most (${changed.length} in --json)\n\n${shown.join('\n\n')}`;
}

const scoreOf = (scores: Scores | null, metric: EvaluationMetric) => (scores ? scoreText(scores[metric]) : '');
