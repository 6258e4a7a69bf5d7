import { z } from 'zod';

/** Doctor: checks of the database, of Temporal and of the settings, for what is wrong or will hurt. */

export const SEVERITIES = ['warning', 'error'] as const;
const severitySchema = z.enum(SEVERITIES);
export type Severity = z.output<typeof severitySchema>;

interface CheckFacts {
  severity: Severity;
  means: string;
  todo: string;
}

/** What the doctor checks, as data. */
export const DOCTOR_CHECKS = {
  'database-away': {
    severity: 'error',
    means:
      'A database beside the main one, or the main one itself, does not answer: its indexes cannot be used, and nothing else of it is checked.',
    todo: 'Start its server, or check the network to it; `reembed migrate` makes a new one ready.',
  },
  'pgvector-old': {
    severity: 'warning',
    means:
      'pgvector before 0.8.4 can corrupt an HNSW index or fail in a vacuum of it, and before 0.8.2 a parallel build can write beyond its memory.',
    todo: 'Install pgvector 0.8.4 or newer on the server, then run `alter extension vector update`.',
  },
  'disk-unsafe': {
    severity: 'error',
    means: 'A crash of the server can damage tables, or lose writes that were reported as done.',
    todo: 'Set `fsync`, `full_page_writes` and `synchronous_commit` to `on`.',
  },
  'autovacuum-off': {
    severity: 'error',
    means:
      'Replaced objects and parts are never cleaned up, and statistics grow old: tables grow, and searches become slow.',
    todo: 'Set `autovacuum` to `on`, and remove `autovacuum_enabled` from the tables: `alter table … reset (autovacuum_enabled)`.',
  },
  'statement-timeout': {
    severity: 'warning',
    means: 'The role or the database ends statements that an exact search, a copy or an audit may need.',
    todo: 'Run `alter role … set statement_timeout = 0`: reembed limits its own statements.',
  },
  'nodes-unfit': {
    severity: 'error',
    means:
      'The tables are distributed with Citus, but the cluster can lose writes, or lets writers wait for each other.',
    todo: 'Change what the entry names: see [Citus](scale.md#one-index-over-several-nodes-with-citus).',
  },
  'nodes-behind': {
    severity: 'warning',
    means:
      'A node of Citus does not answer, or has not yet executed a commit. Until then the switch of a reindex waits, and searches miss these writes.',
    todo: 'Start the node, or restore its connection to the coordinator. Citus repeats such commits every `citus.recover_2pc_interval`.',
  },
  'connections-few': {
    severity: 'warning',
    means: 'Few connections are left. When there are none, processes cannot start, and calls fail.',
    todo: 'Raise `max_connections`, lower `REEMBED_DATABASE_CONNECTIONS`, or run fewer processes.',
  },
  'shared-memory-small': {
    severity: 'warning',
    means: 'The HNSW indexes do not fit into `shared_buffers`: searches that miss it are slower.',
    todo: 'Raise `shared_buffers`, usually to a quarter of the memory of the machine.',
  },
  'build-memory-small': {
    severity: 'warning',
    means: 'A build of the HNSW index needs more memory than it may use, and then takes many times longer.',
    todo: 'Raise `REEMBED_INDEX_MEMORY_MB` of the workers, if the database has that memory.',
  },
  'transaction-old': {
    severity: 'warning',
    means:
      'A transaction is open for more than ten minutes: nothing that was replaced since is cleaned up, and builds of indexes wait for it.',
    todo: 'End it where it was opened, or with `select pg_terminate_backend(pid)`.',
  },
  'lock-expired': {
    severity: 'warning',
    means:
      'The lock of a reindex has expired: its workers are gone, or its workflow was terminated. Writes are no longer forwarded.',
    todo: 'Start workers, or the same reindex again: it takes the lock over and copies only what is missing.',
  },
  'vector-index-missing': {
    severity: 'warning',
    means: 'An index has enough parts for an HNSW index but none is ready: each search compares all parts.',
    todo: 'Wait for its build, or look at the logs of the workers: maintenance builds it once an hour.',
  },
  'vector-index-impossible': {
    severity: 'warning',
    means: 'pgvector cannot index that many dimensions, so each search compares all parts.',
    todo: 'Reindex to a model, or to a setting of it, with at most 4,000 dimensions.',
  },
  'index-invalid': {
    severity: 'error',
    means: 'An index of Postgres is not valid and not being built: it costs writes and serves nothing.',
    todo: 'Run `reindex index concurrently …`, or drop it if its name ends in `_ccnew` or `_ccold`; maintenance builds HNSW indexes again.',
  },
  'key-missing': {
    severity: 'error',
    means: 'The primary key of a table is missing or not valid: writes fail, and objects may have several rows.',
    todo: 'Run `reembed audit … --repair`, which removes surplus rows, then `alter table … add primary key …` with the columns of the template.',
  },
  'tables-orphaned': {
    severity: 'warning',
    means: 'Tables belong to an index that no longer exists, and take space.',
    todo: 'Drop them after you have looked at them: `drop table …`.',
  },
  'tables-missing': {
    severity: 'error',
    means: 'An index has lost its tables, as after an incomplete restore: every call of it fails.',
    todo: 'Restore the tables from a backup, or delete the index and load it again.',
  },
  'rows-orphaned': {
    severity: 'warning',
    means:
      'Staged or failed items belong to tasks that Temporal forgot more than a day ago: the hourly maintenance does not run.',
    todo: 'Start workers, and look at the workflow `maintain` in Temporal.',
  },
  'source-stopped': {
    severity: 'error',
    means: 'A source does not follow its table: what is written there is not in its index.',
    todo: 'Do what the reason says, then run `reembed sources start …`, which syncs all rows; if it says so, add the source again.',
  },
  'source-broken': {
    severity: 'error',
    means:
      'The table of a source, its triggers or its outbox are no longer as they were: changes are not recorded, and the source stops.',
    todo: 'Put the table back as it was, or add the source again with the columns of now: this creates the triggers again and syncs all rows.',
  },
  'source-waiting': {
    severity: 'warning',
    means:
      'A source waits for more than five minutes for its database, its index or its model, or no worker follows it.',
    todo: 'See whether what the reason names runs, and whether workers run: the source then continues by itself.',
  },
  'source-unreachable': {
    severity: 'warning',
    means: 'The API cannot look at the database of a source, so that nothing else of it is checked.',
    todo: 'See whether that database runs, and whether the API has the same variable with its address as the workers.',
  },
  'source-behind': {
    severity: 'warning',
    means: 'Changes of a table wait for more than five minutes: searches miss them, and the outbox grows.',
    todo: 'See whether workers run, and whether the model is slow or limited; `reembed sources get …` shows the backlog.',
  },
  'source-failing': {
    severity: 'warning',
    means: 'Rows of a table cannot be synced, so that searches miss them.',
    todo: 'Look at the reasons with `reembed tasks failed-items source~…`, then change the rows: they are synced when they change, or by a sync.',
  },
  'source-slow': {
    severity: 'warning',
    means: 'A source that polls has no index by which it finds new rows: every poll reads the whole table.',
    todo: 'Run `create index concurrently` on the column `updatedAt` of the source.',
  },
  'source-token-missing': {
    severity: 'warning',
    means: 'Transactions cannot get the token with which a search waits for them.',
    todo: 'Add the source again as it is: this creates the function again.',
  },
  'model-ends': {
    severity: 'warning',
    means: 'The provider turns a model off that an index uses: then neither writes nor searches can be embedded.',
    todo: 'Reindex to the model that replaces it before that day.',
  },
  'retention-short': {
    severity: 'warning',
    means:
      'Temporal forgets ended tasks after less than a day: their trackers and failed items are gone, and they cannot be restarted.',
    todo: 'Run `temporal operator namespace update --retention 72h` with the namespace.',
  },
} as const satisfies Record<string, CheckFacts>;

export type DoctorCheck = keyof typeof DOCTOR_CHECKS;
const checkSchema = z.enum(Object.keys(DOCTOR_CHECKS) as [DoctorCheck, ...DoctorCheck[]]);

/** Details of one finding that are returned. */
export const MAX_DETAILS = 20;

export const doctorSchema = z
  .object({
    checks: z.int().describe('How many checks ran.'),
    findings: z.array(
      z.object({
        check: checkSchema,
        severity: severitySchema,
        means: z.string(),
        todo: z.string(),
        count: z.int().describe('How many things it was found in.'),
        details: z.array(z.string()).describe('In what, and the value: the first 20.'),
      }),
    ),
  })
  .meta({ id: 'Doctor', description: 'What is wrong with the database, Temporal and the settings, or will hurt.' });
export type Doctor = z.output<typeof doctorSchema>;
