import { type Command, Option } from 'commander';
import { approveSchema } from '../contract/approval.ts';
import type { FieldIssue } from '../contract/errors.ts';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import { anyNumber } from './arguments.ts';
import { UsageError } from './errors.ts';

/** Options about who decides whether a reindex switches its alias. */
export interface ApproveOptions {
  approve?: 'auto' | 'manual';
  querySet?: string;
  minGain?: number;
  onGo?: 'approve' | 'wait';
  onNoGo?: 'reject' | 'wait';
  approveTimeout?: string;
  onTimeout?: 'reject' | 'approve';
  onReject?: 'keep' | 'delete';
}

export function withApproval(command: Command): Command {
  return command
    .addOption(
      new Option('--approve <who>', 'who decides about the switch: auto, or a person').choices(['auto', 'manual']),
    )
    .option('--query-set <name>', 'query set that decides: go switches, no-go rejects, inconclusive asks a person')
    .option('--min-gain <difference>', 'with --query-set: gain in nDCG that a switch needs; default: 0', anyNumber)
    .addOption(new Option('--on-go <choice>', 'with --query-set: switch, or ask a person').choices(['approve', 'wait']))
    .addOption(
      new Option('--on-no-go <choice>', 'with --query-set: reject, or ask a person').choices(['reject', 'wait']),
    )
    .option('--approve-timeout <time>', 'time for a person to decide, such as 7d; default: no limit')
    .addOption(new Option('--on-timeout <choice>', 'the decision after that time').choices(['reject', 'approve']))
    .addOption(
      new Option('--on-reject <choice>', 'what happens to DEST after a rejection').choices(['keep', 'delete']),
    );
}

/** Returns the setting `approve`; undefined for the default. @throws UsageError */
export function approveFrom(options: ApproveOptions) {
  const { approve, querySet, minGain, onGo, onNoGo, approveTimeout: timeout, onTimeout, onReject } = options;
  if (querySet === undefined && (minGain ?? onGo ?? onNoGo) !== undefined) {
    throw new UsageError('--min-gain, --on-go and --on-no-go require --query-set');
  }
  if (querySet !== undefined && approve !== undefined)
    throw new UsageError('--query-set and --approve exclude each other');
  if (querySet === undefined && (timeout ?? onTimeout ?? onReject) === undefined) return approve;
  if (querySet === undefined && approve !== 'manual') {
    throw new UsageError('--approve-timeout, --on-timeout and --on-reject require --approve manual or --query-set');
  }
  const evaluation = querySet === undefined ? {} : { querySet, thresholds: { minGain }, onGo, onNoGo };
  const parsed = approveSchema.safeParse({ ...evaluation, timeout, onTimeout, onReject });
  if (!parsed.success) throw new UsageError(approveProblem(fieldIssues(parsed.error)));
  return parsed.data;
}

const APPROVE_OPTIONS: Record<string, string> = {
  timeout: '--approve-timeout must be a time from 1s to 90d, such as 24h or 7d',
  'thresholds.minGain': '--min-gain must be a number from -1 to 1',
  querySet: '--query-set must be the name of a query set',
};

function approveProblem(issues: readonly FieldIssue[]): string {
  const [first] = issues;
  return APPROVE_OPTIONS[first?.path ?? ''] ?? issuesText(issues);
}
