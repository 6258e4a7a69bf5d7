import { type Command, InvalidArgumentError } from 'commander';
import { fieldIssues, issuesText } from '../contract/issues.ts';
import { ROLL_BACK_IF_NAMES, unknownBound, watchSchema } from '../contract/watch-schema.ts';
import { UsageError } from './errors.ts';

/** Options about the watch of a reindex after its switch. */
export interface WatchOptions {
  watch?: string;
  rollBackIf?: Record<string, number>;
}

export function withWatch(command: Command): Command {
  return command
    .option('--watch <time>', 'after the switch, watch the searches of DEST for this long, such as 24h')
    .option(
      '--roll-back-if <bounds>',
      'with --watch: roll back as soon as a bound is exceeded: emptyShare=0.1,errorShare=0.02,latencyP95Ratio=2; ' +
        'minSearches=100 sets how many searches a decision needs',
      bounds,
    );
}

/** Parses bounds such as `emptyShare=0.1,errorShare=0.02`; the option is repeatable. */
function bounds(text: string, before: Record<string, number> = {}): Record<string, number> {
  const given = { ...before };
  for (const part of text.split(',')) {
    const [, name = '', value = ''] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    if (name === '' || !Number.isFinite(Number(value))) {
      throw new InvalidArgumentError('It must be names and numbers such as emptyShare=0.1,errorShare=0.02.');
    }
    if (!ROLL_BACK_IF_NAMES.includes(name)) throw new InvalidArgumentError(`${name} ${unknownBound(name)}`);
    given[name] = Number(value);
  }
  return given;
}

/** Returns the setting `watch`; undefined for none. @throws UsageError */
export function watchFrom({ watch, rollBackIf }: WatchOptions) {
  if (watch === undefined && rollBackIf === undefined) return undefined;
  if (watch === undefined || rollBackIf === undefined) {
    throw new UsageError('--watch and --roll-back-if require each other');
  }
  const parsed = watchSchema.safeParse({ for: watch, rollBackIf });
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error);
  if (issues[0]?.path === 'for') throw new UsageError('--watch must be a time of at least 1m, such as 24h');
  throw new UsageError(`--roll-back-if: ${issuesText(issues).replaceAll('rollBackIf.', '')}`);
}
