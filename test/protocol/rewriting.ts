import { type KyselyPlugin, type OperationNode, RawNode, sql } from 'kysely';
import type { Db } from '../../src/store/database.ts';

const isRaw = (node: OperationNode): node is RawNode => node.kind === 'RawNode';

const textOf = (node: OperationNode): string =>
  isRaw(node) ? [...node.sqlFragments, ...node.parameters.map(textOf)].join(' ') : '';

function rewriteNode(node: OperationNode, from: RegExp, to: string): OperationNode {
  if (!isRaw(node)) return node;
  const fragments = node.sqlFragments.map((fragment) => fragment.replace(from, to));
  return RawNode.create(
    fragments,
    node.parameters.map((parameter) => rewriteNode(parameter, from, to)),
  );
}

/** The same database, but the text in each statement that `where` matches is replaced. */
export function rewriting(db: Db, ...rules: readonly { where: RegExp; from: RegExp; to: string }[]): Db {
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      let result: OperationNode = node;
      for (const { where, from, to } of rules) if (where.test(textOf(node))) result = rewriteNode(result, from, to);
      return result as typeof node;
    },
    transformResult: async ({ result }) => result,
  };
  return db.withPlugin(plugin);
}

const GATE_CLASS = String(0x7265_656d);

/** Leaves out every statement that takes a gate, shared or exclusive. */
export function withoutGates(db: Db): Db {
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) =>
      node.kind === 'RawNode' && JSON.stringify(node).includes(GATE_CLASS) ? RawNode.createWithSql('select 1') : node,
    transformResult: async ({ result }) => result,
  };
  return db.withPlugin(plugin);
}

/** An expired lock stays when an alias moves or a user writes, and its task can renew it. */
export const keepExpiredLocks = (db: Db): Db =>
  rewriting(db, {
    where: /not mirror and lock_expire_time <= now\(\)|lock_expire_time <= now\(\)\s+returning lock/,
    from: /delete from reembed\.reindex_locks/,
    to: 'update reembed.reindex_locks set mirror = mirror',
  });

/** An original that a tombstone records late does not count as a change, and nobody asks for it. */
export const forgetOriginals = (db: Db): Db =>
  rewriting(
    db,
    {
      where: /stored\.original_id is null/,
      from: /original_id = incoming\.original_id,\s+change = nextval\('reembed\.changes'\)/,
      to: 'original_id = incoming.original_id',
    },
    {
      where: /d\.original_id is null and s\.original_id is not null/,
      from: /or \(s\.deleted and d\.deleted and d\.version = s\.version and d\.original_id is null and s\.original_id is not null\)/,
      to: '',
    },
  );

/** All indexes remember only the highest version of removed tombstones. */
export const rememberHighest = (db: Db): Db =>
  rewriting(db, { where: /set removed_version = greatest/, from: /and versioning = 'internal'/, to: '' });

/** Whether a lock keeps an index current for another one. */
export async function hasMirror(db: Db, sourceNo: number, destNo: number): Promise<boolean> {
  const { rows } = await sql`
    select from reembed.reindex_locks where mirror and source_no = ${sourceNo} and dest_no = ${destNo}`.execute(db);
  return rows.length > 0;
}
