import type { Command } from 'commander';
import type { Filter } from '../../contract/filters.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { StoredObject } from '../../contract/objects.ts';
import { examples, json, wholeNumber } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { contentText } from './hit-text.ts';

/** All listed objects are in memory. */
const MAX_LISTED = 10_000;

interface ListOptions extends RemoteOptions {
  filter?: unknown;
  limit: number;
}

function addList(objects: Command, io: Io): void {
  remote(objects.command('list <index>'))
    .summary('list objects in the order of their ids')
    .description('Lists objects of an index or alias in the order of their ids, optionally those that pass a filter.')
    .option('--filter <json>', 'only objects whose metadata passes this filter', json)
    .option('--limit <objects>', `maximum number of objects, at most ${MAX_LISTED}`, wholeNumber, 100)
    .addHelpText(
      'after',
      examples('reembed objects list docs', `reembed objects list docs --filter '{"lang":"en"}' --limit 20`),
    )
    .action(async (index: string, { limit, ...options }: ListOptions) => {
      if (limit < 1 || limit > MAX_LISTED) {
        throw new UsageError(`--limit must be from 1 to ${MAX_LISTED}; for all objects, use reembed export`);
      }
      const filter = options.filter as Filter | undefined;
      const found: StoredObject[] = [];
      const pages = clientFrom(io, options).objects.list(index, { filter, limit: Math.min(limit, LIMITS.listLimit) });
      for await (const object of pages) {
        found.push(object);
        if (found.length >= limit) break;
      }
      writeResult(io, options.json, { objects: found }, () =>
        table(
          found,
          [
            { title: 'ID', value: ({ id }) => id },
            { title: 'VERSION', value: ({ version }) => version, right: true },
            { title: 'METADATA', value: ({ metadata }) => JSON.stringify(metadata) },
            { title: 'PAYLOAD', value: contentText },
          ],
          filter ? `no object of ${index} passes the filter` : `${index} has no objects`,
        ),
      );
    });
}

function addGet(objects: Command, io: Io): void {
  remote(objects.command('get <index> <id>'))
    .summary('show an object')
    .description('Shows an object of an index or alias, with all of its payload and metadata, as JSON.')
    .addHelpText('after', examples('reembed objects get docs a'))
    .action(async (index: string, id: string, options: RemoteOptions) => {
      const object = await clientFrom(io, options).objects.get(index, id);
      writeResult(io, options.json, object, () => JSON.stringify(object, null, 2));
    });
}

/** Adds `reembed objects`. */
export function addObjectCommands(program: Command, io: Io): void {
  const objects = program.command('objects').description('list objects, and look at single ones');
  addList(objects, io);
  addGet(objects, io);
  remote(objects.command('history <index> <id>'))
    .summary('show what happened to an object')
    .description('Shows the writes, deletions, copies and failures of an object in an index or alias, newest first.')
    .addHelpText('after', examples('reembed objects history docs a'))
    .action(async (index: string, id: string, options: RemoteOptions) => {
      const history = await clientFrom(io, options).objects.history(index, id);
      writeResult(io, options.json, history, () =>
        table(
          history.events,
          [
            { title: 'TIME', value: ({ time }) => time },
            { title: 'EVENT', value: ({ kind }) => kind },
            { title: 'VERSION', value: ({ version }) => version, right: true },
            {
              title: 'COPIED FROM',
              value: ({ copied, copiedFrom }) => copiedFrom ?? (copied ? 'a deleted index' : ''),
            },
            { title: 'TASK', value: ({ taskId }) => taskId },
            { title: 'TOKEN', value: ({ by }) => by },
            { title: 'REASON', value: ({ reason }) => reason },
          ],
          `no event of ${id} is known in ${history.index}`,
        ),
      );
    });
}
