import { type Command, Option } from 'commander';
import type { ReembedClient } from '../../client/client.ts';
import {
  DEFAULT_KEY,
  OVERLAPS,
  type Overlap,
  type Schedule,
  type ScheduledType,
  scheduledTypeSchema,
} from '../../contract/schedules.ts';
import { examples, json, wholeNumber } from '../arguments.ts';
import { fields, type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

interface KeyOptions extends RemoteOptions {
  key: string;
}

interface AddOptions extends KeyOptions {
  type?: ScheduledType;
  input?: unknown;
  options?: object;
  timeZone?: string;
  jitter?: string;
  overlap?: Overlap;
  catchUp?: string;
  paused?: boolean;
  note?: string;
  ifExists?: 'update' | 'refuse' | 'keep';
}

const TIMES_SHOWN = 10;

/** Adds `reembed schedules …`. */
export function addScheduleCommands(program: Command, io: Io): void {
  const group = program
    .command('schedules')
    .summary('list, create and control schedules of jobs, audits and syncs')
    .description(
      'Manages schedules, which run jobs repeatedly, or audits and syncs. Each is identified by a job, or any other name ' +
        'for an audit or a sync, and a key.',
    );

  /** Adds a command for the schedule of a job and a key. */
  const about = (verb: string, summary: string, description: string, ...lines: string[]) =>
    remote(group.command(`${verb} <job>`))
      .summary(summary)
      .description(description)
      .option('--key <key>', 'key of the schedule', DEFAULT_KEY)
      .addHelpText('after', examples(...(lines.length > 0 ? lines : [`reembed schedules ${verb} expiry-check`])));

  remote(group.command('list'))
    .summary('list schedules')
    .description('Lists schedules, newest first.')
    .option('--job <job>', 'only schedules of this job')
    .option('--limit <count>', 'maximum schedules', wholeNumber)
    .option('--cursor <cursor>', 'cursor of the next page')
    .addHelpText('after', examples('reembed schedules list', 'reembed schedules list --job report --json'))
    .action(async (options: RemoteOptions & { job?: string; limit?: number; cursor?: string }) => {
      const { job, limit, cursor } = options;
      const list = await clientFrom(io, options).schedules.list({ name: job, limit, cursor });
      writeResult(io, options.json, list, () => {
        const rows = table(
          list.schedules,
          [
            { title: 'JOB', value: (row) => row.name },
            { title: 'KEY', value: (row) => row.key },
            { title: 'EVERY', value: everyText },
            { title: 'STATE', value: (row) => (row.paused ? 'paused' : 'active') },
            { title: 'NEXT', value: (row) => row.nextTimes[0] ?? '-' },
            { title: 'LAST', value: (row) => row.recent[0]?.startTime ?? '-' },
            { title: 'NOTE', value: (row) => row.note.slice(0, 40) },
          ],
          'no schedules',
        );
        return list.cursor ? `${rows}\n\nnext page: --cursor ${list.cursor}` : rows;
      });
    });

  about('get', 'show a schedule', 'Shows a schedule, its next times and its last runs.').action(
    async (job: string, options: KeyOptions) => {
      writeSchedule(io, options, await clientFrom(io, options).schedules.get(job, options.key));
    },
  );

  about(
    'add',
    'create or change a schedule',
    'Creates the schedule of a job and a key, or changes the existing one.',
    'reembed schedules add expiry-check --every 1m',
    `reembed schedules add report --key weekly --every '0 9 * * MON' --time-zone Europe/Berlin --input '{"to":"all"}'`,
    `reembed schedules add nightly --type audit --every '0 3 * * *' --input '{"source":"articles"}'`,
  )
    .requiredOption('--every <time>', 'an interval (90s, 1m, 1d) or a cron expression (0 9 * * MON-FRI, @daily)')
    .addOption(
      new Option(
        '--type <type>',
        'what each run is; the input of an audit or a sync is its body (default: job)',
      ).choices(scheduledTypeSchema.options),
    )
    .option('--input <json>', 'input of each run', json)
    .option('--options <json>', 'options of each run, as in a call', json)
    .option('--time-zone <name>', 'time zone of the cron expression (default: UTC)')
    .option('--jitter <time>', 'delay each run by a random time up to this')
    .addOption(
      new Option('--overlap <policy>', 'policy for a run that is due while one is running (default: skip)').choices(
        OVERLAPS,
      ),
    )
    .option('--catch-up <time>', 'how late a missed run may start after Temporal was unavailable (default: 365d)')
    .option('--paused', 'create it paused: no runs start until it is resumed')
    .option('--note <text>', 'kept with it, for people')
    .addOption(
      new Option('--if-exists <what>', 'if a schedule with this job and key exists (default: update)').choices([
        'update',
        'refuse',
        'keep',
      ]),
    )
    .action(async (job: string, options: AddOptions & { every: string }) => {
      const { key, url: _url, json: _json, ...request } = options;
      writeSchedule(io, options, await clientFrom(io, options).schedules.put(job, key, request));
    });

  const steer = (verb: 'pause' | 'resume', summary: string, description: string) =>
    about(verb, summary, description)
      .option('--note <text>', 'kept with it, for people')
      .action(async (job: string, options: KeyOptions & { note?: string }) => {
        writeSchedule(io, options, await clientFrom(io, options).schedules[verb](job, options.key, options.note));
      });
  steer('pause', 'pause a schedule', 'Pauses a schedule: no runs start until it is resumed.');
  steer('resume', 'resume a schedule', 'Resumes a paused schedule; runs that were due during the pause are skipped.');

  about('run', 'run a schedule now', 'Runs a schedule once now. Its times do not change.')
    .addOption(new Option('--overlap <policy>', "overrides the schedule's policy").choices(OVERLAPS))
    .action(async (job: string, options: KeyOptions & { overlap?: Overlap }) => {
      const { key, overlap } = options;
      const run = await clientFrom(io, options).schedules.run(job, key, { overlap });
      writeResult(io, options.json, run, () => RUN_TEXTS[run.outcome](`${run.taskId}`));
    });

  about('next', 'show the next times', 'Shows the times of the next runs of a schedule.')
    .option('--days <count>', 'number of days to look ahead', wholeNumber, 7)
    .action(async (job: string, options: KeyOptions & { days: number }) => {
      const times = await nextTimes(clientFrom(io, options), job, options);
      writeResult(io, options.json, { times }, () => {
        const shown = times.slice(0, TIMES_SHOWN).map((time) => time.toISOString());
        const left = times.length - shown.length;
        return (
          [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('\n') || `no runs within ${options.days} days`
        );
      });
    });

  about('remove', 'remove a schedule', 'Removes a schedule; runs that it has started continue.').action(
    async (job: string, options: KeyOptions) => {
      const { key } = options;
      await clientFrom(io, options).schedules.remove(job, key);
      writeResult(io, options.json, { job, key, removed: true }, () => `schedule ${key} of ${job} removed`);
    },
  );
}

const RUN_TEXTS = {
  started: (taskId: string) => `started as task ${taskId}; follow it: reembed tasks watch ${taskId}`,
  skipped: () => 'skipped: an earlier run has not ended',
  held: () =>
    'held: it waits for an earlier run, duplicates a run of the same second, or did not start within 10 seconds',
} as const;

function nextTimes(client: ReembedClient, job: string, { key, days }: { key: string; days: number }) {
  const from = new Date();
  return client.schedules.times(job, key, { from, until: new Date(from.getTime() + days * 86_400_000) });
}

function everyText({ every, timeZone }: Schedule): string {
  return `${every ?? 'custom'}${timeZone === null ? '' : ` (${timeZone})`}`;
}

function writeSchedule(io: Io, { json: asJson }: RemoteOptions, schedule: Schedule): void {
  writeResult(io, asJson, schedule, () => scheduleText(schedule));
}

function scheduleText(schedule: Schedule): string {
  const { counts, recent } = schedule;
  const shown = fields([
    [schedule.type === 'job' ? 'job' : 'name', schedule.name],
    ['key', schedule.key],
    ['type', schedule.type === 'job' ? null : schedule.type],
    ['every', everyText(schedule)],
    ['state', schedule.paused ? 'paused' : 'active'],
    ['note', schedule.note],
    ['jitter', schedule.jitter === '0s' ? null : schedule.jitter],
    ['overlap', schedule.overlap],
    ['catch-up', schedule.catchUp],
    ['input', schedule.input === undefined ? null : JSON.stringify(schedule.input)],
    ['options', Object.keys(schedule.options).length > 0 ? JSON.stringify(schedule.options) : null],
    ['declared', schedule.declared ? 'in code' : null],
    ['next', schedule.nextTimes.slice(0, 3).join(', ')],
    ['running', schedule.running.join(', ')],
    ['runs', `${counts.started} started, ${counts.skipped} skipped, ${counts.missed} missed`],
    ['schedule', schedule.id],
  ]);
  const lines = recent.map(({ startTime, taskId }) => `  ${startTime}  ${taskId}`);
  return lines.length === 0 ? shown : `${shown}\nlast runs, newest first\n${lines.join('\n')}`;
}
