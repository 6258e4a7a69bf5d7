import { parseArgs } from 'node:util';
import { torture } from './torture.ts';

// npm run torture -- --seconds 120 --seed 1 --json
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '8' },
    objects: { type: 'string', default: '1500' },
    json: { type: 'boolean', default: false },
  },
});

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(new Error(name)));
// With --json the last line of stdout is the result; everything else goes to stderr.
const say = (line: string) => process.stderr.write(`${line}\n`);

try {
  const result = await torture({
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    clients: Number(values.clients),
    objects: Number(values.objects),
    say,
    signal: stop.signal,
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
