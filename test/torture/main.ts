import { parseArgs } from 'node:util';
import { sourceTorture } from './source/source.ts';
import { torture } from './torture.ts';

const HELP = `npm run torture -- [options]

Runs the whole system as separate processes, kills and freezes them while clients write, reindexes run, aliases are
moved by hand and indexes are deleted, and compares what serves with what was accepted.

  --seconds N   for how long things go wrong (60)
  --seed N      chooses what goes wrong when (by the clock)
  --clients N   that write (8)
  --objects N   that are there before (1500)
  --stops N     how often a process is stopped at a point of its work at the end, to see who waits (one for 11 seconds)
  --source      follows tables instead: writers run random DML, and the indexes must equal the tables at the end
  --json        the result as one line; everything else goes to stderr
  --help        shows this
`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '8' },
    objects: { type: 'string', default: '1500' },
    stops: { type: 'string' },
    source: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit();
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(new Error(name)));
// With --json the last line of stdout is the result; everything else goes to stderr.
const say = (line: string) => process.stderr.write(`${line}\n`);

try {
  const common = {
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    clients: Number(values.clients),
    say,
    signal: stop.signal,
  };
  const result = values.source
    ? await sourceTorture(common)
    : await torture({
        ...common,
        objects: Number(values.objects),
        ...(values.stops !== undefined && { stops: Number(values.stops) }),
      });
  console.log(JSON.stringify(result, null, values.json ? undefined : 2));
  process.exitCode = result.ok ? 0 : 1;
} catch (error) {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say(stop.signal.aborted ? 'broken off' : message);
  if (!stop.signal.aborted && values.json)
    console.log(JSON.stringify({ seed: Number(values.seed), ok: false, message }));
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
setTimeout(() => process.exit(), 2_000).unref();
