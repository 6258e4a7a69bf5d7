import { Argument, type Command, Option } from 'commander';
import { type Io, oneLine } from '../output.ts';
import { clientFrom } from '../remote.ts';
import { wantedAt } from './words.ts';

/** A word that may come next, with its meaning. */
type Candidate = readonly [word: string, meaning: string];

/** Line that makes the shell complete file names instead. */
const FILES = ':files';

/** Short, since a person waits after pressing Tab. */
const PATIENCE_MS = 1_000;
const MAX_TASKS = 50;
/** What a database that is away holds is not completed. */
const KNOWN = { onUnavailable: () => {} };

/** Returns lines for the shell: a word and, after a tab, its meaning; or `FILES`. Errors yield no candidates. */
export async function completionLines(program: Command, io: Io, words: readonly string[]): Promise<string[]> {
  const wanted = wantedAt(program, words);
  const current = words.at(-1) ?? '';
  if (wanted.kind === 'nothing') return [];
  if (wanted.kind !== 'value')
    return linesOf(wanted.kind === 'commands' ? commandsOf(wanted.of) : optionsOf(wanted.of), current);
  const { of, typed, url } = wanted;
  if (of.argChoices)
    return linesOf(
      of.argChoices.map((choice) => [typed + choice, '']),
      current,
    );
  const name = valueName(of);
  if (FILE_NAMES.has(name)) return [FILES];
  const source = SOURCES[name];
  if (!source) return [];
  // The returned ids, names and details are data; a tab or a line feed in them would end the line.
  const found = await source(patientClient(io, url)).catch((): Candidate[] => []);
  return linesOf(
    found.map(([word, meaning]) => [typed + word, meaning]),
    current,
  );
}

function linesOf(candidates: readonly Candidate[], current: string): string[] {
  const fitting = candidates.filter(([word]) => word.startsWith(current) && !/\s/.test(word));
  return fitting.map(([word, meaning]) => (meaning === '' ? word : `${word}\t${oneLine(meaning)}`));
}

function commandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((child) => [child.name(), child.summary() || child.description()]);
}

function optionsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => [option.long ?? option.flags, option.description]);
}

/** Returns the value name: `index` for `--index <index>` and for `<index>`. */
function valueName(of: Argument | Option): string {
  if (of instanceof Argument) return of.name();
  return (of instanceof Option && /[<[]([\w-]+)/.exec(of.flags)?.[1]) || '';
}

const FILE_NAMES = new Set(['file', 'folder', 'path']);

type Client = ReturnType<typeof clientFrom>;

async function namesOfIndexes({ indexes }: Client): Promise<Candidate[]> {
  return (await indexes.list(KNOWN)).flatMap(({ name, model, aliases }) => [
    [name, `${model.provider}/${model.name}`] as const,
    ...aliases.map((alias) => [alias, `alias of ${name}`] as const),
  ]);
}

async function namesOfJobs({ jobs, schedules }: Client): Promise<Candidate[]> {
  const known = (await jobs.list()).jobs.map(({ name, description }) => [name, description ?? ''] as const);
  const scheduled = (await schedules.list()).schedules.map(({ name }) => [name, 'has a schedule'] as const);
  return [...new Map([...scheduled, ...known])];
}

/** Sources of values, by the value name of an argument or an option. */
const SOURCES: Readonly<Record<string, (client: Client) => Promise<Candidate[]>>> = {
  index: namesOfIndexes,
  source: namesOfIndexes,
  dest: namesOfIndexes,
  set: async ({ querySets }) =>
    (await querySets.list(KNOWN)).map(({ name, queries }) => [name, `${queries} queries`] as const),
  'table-source': async ({ sources }) =>
    (await sources.list(KNOWN)).map(
      ({ name, definition, state }) => [name, `${state}, for ${definition.index}`] as const,
    ),
  alias: async ({ aliases }) => (await aliases.list(KNOWN)).map(({ alias, index }) => [alias, `points to ${index}`]),
  task: async ({ tasks }) =>
    (await tasks.page({ limit: MAX_TASKS })).tasks.map(({ id, type, status }) => [id, `${type}, ${status}`]),
  job: namesOfJobs,
};

function patientClient(io: Io, url: string | undefined): Client {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return clientFrom(io, { url }, (input, init) => fetch(input, { ...init, signal }));
}
