/**
 * Runs reembed as a cluster of processes by role against a Temporal server that is there already, and kills one of each
 * role: `npm run cluster -- --temporal 127.0.0.1:7233 [--namespace default] [--objects 20000] [--seed 1]`. With
 * DATABASE_URL it makes a database of its own there, and removes it; else it starts a Postgres. With `--pooler` the API and
 * the control workers reach that server through a PgBouncer in transaction mode. Ends with 1 if anything is wrong.
 */
import { parseArgs } from 'node:util';
import { runCluster } from './cluster.ts';

const { values } = parseArgs({
  options: {
    temporal: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    objects: { type: 'string', default: '20000' },
    rate: { type: 'string', default: '800' },
    clients: { type: 'string', default: '6' },
    pooler: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
if (!values.temporal) throw new Error('--temporal must be the host:port of a Temporal server');

const say = (line: string) => process.stderr.write(`${line}\n`);
const result = await runCluster({
  temporalAddress: values.temporal,
  namespace: values.namespace,
  databaseUrl: process.env.DATABASE_URL,
  poolerUrl: values.pooler,
  objects: Number(values.objects),
  ratePerSecond: Number(values.rate),
  clients: Number(values.clients),
  seed: Number(values.seed),
  say,
});
console.log(JSON.stringify(result, null, 2));
process.exit(result.problems.length === 0 ? 0 : 1);
