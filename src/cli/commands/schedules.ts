import { type Command, Option } from 'commander';
import type { ReembedClient } from '../../client/http/client.ts';
import { DEFAULT_KEY, OVERLAPS, type Overlap, type Schedule } from '../../contract/schedules.ts';
import { examples, json, wholeNumber } from '../arguments.ts';
import { fields, type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

interface KeyOptions extends RemoteOptions {
  key: string;
}

interface AddOptions extends KeyOptions {
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

/** `reembed schedules …` */
export function addScheduleCommands(program: Command, io: Io): void {
  const group = program
    .command('schedules')
    .summary('list, make and steer schedules of jobs')
    .description('Schedules: when jobs run again and again. There is one for each job and key.');

  /** A command about the schedule of a job and a key. */
  const about = (verb: string, summary: string, description: string, ...lines: string[]) =>
    remote(group.command(`${verb} <job>`))
      .summary(summary)
      .description(description)
      .option('--key <key>', 'which schedule of the job', DEFAULT_KEY)
      .addHelpText('after', examples(...(lines.length > 0 ? lines : [`reembed schedules ${verb} expiry-check`])));

  remote(group.command('list'))
    .summary('list schedules')
    .description('Lists schedules, newest first.')
    .option('--job <job>', 'only those of this job')
    .option('--limit <count>', 'most schedules', wholeNumber)
    .option('--cursor <cursor>', 'go on after an earlier page')
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
        return list.cursor ? `${rows}\n\nthe next ones: --cursor ${list.cursor}` : rows;
      });
    });

  about('get', 'show a schedule', 'Shows a schedule, its next times and its last runs.').action(
    async (job: string, options: KeyOptions) => {
      writeSchedule(io, options, await clientFrom(io, options).schedules.get(job, options.key));
    },
  );

  about(
    'add',
    'make or change a schedule',
    'Makes the schedule of a job and a key, or changes the one that is there.',
    'reembed schedules add expiry-check --every 1m',
    `reembed schedules add report --key weekly --every '0 9 * * MON' --time-zone Europe/Berlin --input '{"to":"all"}'`,
  )
    .requiredOption('--every <time>', 'an interval (90s, 1m, 1d) or a cron expression (0 9 * * MON-FRI, @daily)')
    .option('--input <json>', 'what each run gets', json)
    .option('--options <json>', 'options of each run, as in a call', json)
    .option('--time-zone <name>', 'in which a cron expression is read (UTC)')
    .option('--jitter <time>', 'each run comes up to this much later, by chance')
    .addOption(
      new Option('--overlap <policy>', 'what becomes of a run that is due while one runs (skip)').choices(OVERLAPS),
    )
    .option('--catch-up <time>', 'how late a run may be that was missed while Temporal was away (365d)')
    .option('--paused', 'nothing runs until it is resumed')
    .option('--note <text>', 'kept with it, for people')
    .addOption(
      new Option('--if-exists <what>', 'when there is one of this job and key (update)').choices([
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
  steer('pause', 'start nothing until it is resumed', 'Pauses a schedule: nothing is started until it is resumed.');
  steer('resume', 'go on with the next time', 'Lets a paused schedule go on; what was due meanwhile is left out.');

  about('run', 'run it once more, now', 'Runs a schedule once more, now. Its times stay as they are.')
    .addOption(new Option('--overlap <policy>', 'instead of its own').choices(OVERLAPS))
    .action(async (job: string, options: KeyOptions & { overlap?: Overlap }) => {
      const { key, overlap } = options;
      const run = await clientFrom(io, options).schedules.run(job, key, { overlap });
      writeResult(io, options.json, run, () => RUN_TEXTS[run.outcome](`${run.taskId}`));
    });

  about('next', 'show when it runs', 'Shows the times at which a schedule runs, from now on.')
    .option('--days <count>', 'how many days ahead', wholeNumber, 7)
    .action(async (job: string, options: KeyOptions & { days: number }) => {
      const times = await nextTimes(clientFrom(io, options), job, options);
      writeResult(io, options.json, { times }, () => {
        const shown = times.slice(0, TIMES_SHOWN).map((time) => time.toISOString());
        const left = times.length - shown.length;
        return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('\n') || `not within ${options.days} days`;
      });
    });

  about('remove', 'remove a schedule', 'Removes a schedule; runs that it has started go on.').action(
    async (job: string, options: KeyOptions) => {
      const { key } = options;
      await clientFrom(io, options).schedules.remove(job, key);
      writeResult(io, options.json, { job, key, removed: true }, () => `the schedule ${key} of ${job} is removed`);
    },
  );
}

const RUN_TEXTS = {
  started: (taskId: string) => `started as task ${taskId}; follow it: reembed tasks watch ${taskId}`,
  skipped: () => 'skipped: an earlier run has not ended',
  held: () => 'held: it waits for an earlier run, or another one of this second stands for it',
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
    ['job', schedule.name],
    ['key', schedule.key],
    ['every', everyText(schedule)],
    ['state', schedule.paused ? 'paused' : 'active'],
    ['note', schedule.note],
    ['jitter', schedule.jitter === '0s' ? null : schedule.jitter],
    ['overlap', schedule.overlap],
    ['catch-up', schedule.catchUp],
    ['input', schedule.input === undefined ? null : JSON.stringify(schedule.input)],
    ['options', Object.keys(schedule.options).length > 0 ? JSON.stringify(schedule.options) : null],
    ['declared', schedule.declared ? 'by the code' : null],
    ['next', schedule.nextTimes.slice(0, 3).join(', ')],
    ['running', schedule.running.join(', ')],
    ['runs', `${counts.started} started, ${counts.skipped} skipped, ${counts.missed} missed`],
    ['schedule', schedule.id],
  ]);
  const lines = recent.map(({ startTime, taskId }) => `  ${startTime}  ${taskId}`);
  return lines.length === 0 ? shown : `${shown}\nlast runs, newest first\n${lines.join('\n')}`;
}
