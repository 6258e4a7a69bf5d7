import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks.ts';
import { hostile } from './hostile.ts';

const HELP = `npm run hostile -- [--seconds 60] [--json] [--only NAME,NAME]

Starts an API and a worker as processes with a heap of 512 MB each, with Postgres and Temporal on free ports, and sends
legal but hostile calls to them, all kinds at once. Shows how long /healthz took, the peak memory of both processes, and
how each kind was answered. Ends with 1 when a process ended, a call was answered with an error that is not its
caller's, /healthz took 200 ms or more at the 99th percentile, a process took more than 1,280 MB, or a small write was not
done two minutes after the attacks.

  --seconds  how long the attacks last
  --only     some kinds alone, with commas between them
  --json     the last line of stdout is the result; everything else goes to stderr

Kinds: ${ATTACKS.map(({ name }) => name).join(', ')}`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (line: string) => process.stderr.write(`${line}\n`);

async function run(): Promise<void> {
  const seconds = Number(values.seconds);
  const only = values.only?.split(',');
  if (!Number.isSafeInteger(seconds) || seconds < 1) throw new Error('--seconds must be a whole number above 0');
  const unknown = only?.find((name) => !ATTACKS.some((attack) => attack.name === name));
  if (unknown !== undefined) throw new Error(`--only: there is no kind ${JSON.stringify(unknown)}: see --help`);
  const result = await hostile({ seconds, only, say });
  console.log(JSON.stringify(result, null, values.json ? undefined : 2));
  process.exitCode = result.ok ? 0 : 1;
}

if (values.help) console.log(HELP);
else {
  await run().catch((error: Error) => {
    say(error.stack ?? error.message);
    if (values.json) console.log(JSON.stringify({ ok: false, problems: [error.message] }));
    process.exitCode = 1;
  });
  setTimeout(() => process.exit(), 2_000).unref();
}
