import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { approvalOf, type Decision } from '../../src/contract/approval.ts';
import type { Tracker } from '../../src/contract/tasks.ts';
import { type Api, type CallLog, insist, TOO_LATE, tryTo } from './accept.ts';
import { ALIAS } from './clients.ts';
import { zeroCounts } from './counts.ts';
import type { ReindexPlan } from './plans.ts';
import { isBudgetUsedUp, raiseBudget, Trial } from './trials.ts';
import { turn } from './turns.ts';

/** What a reindex needs from outside before it can end. */
type Decided = Pick<ReindexPlan, 'decision' | 'decisionMs' | 'maxCalls'> & { trial?: Trial };

/** The indexes that it creates and rebuilds; others must not be overwritten. */
const OWN = /^i\d+$/;
const MAX_MS = 600_000;
const LOOK_MS = 250;

/** Rebuilds the serving index into another one repeatedly, and attacks each rebuild as planned. */
export class Reindexer {
  readonly counts = zeroCounts();
  readonly taskIds: string[] = [];
  readonly api: Api;
  readonly log: CallLog;
  private readonly run: string;
  private readonly temporal: () => Client;
  readonly say: (line: string) => void;
  private serial = 0;
  /** Reindexes whose alias was moved to their destination by hand while they ran. */
  private readonly overtaken = new Set<string>();
  /** Indexes due for deletion: such an index would be gone before a reindex into it starts. */
  private readonly retired = new Set<string>();

  constructor(parts: { api: Api; log: CallLog; run: string; temporal: () => Client; say: (line: string) => void }) {
    this.api = parts.api;
    this.log = parts.log;
    this.run = parts.run;
    this.temporal = parts.temporal;
    this.say = parts.say;
  }

  async loop(plans: Iterator<ReindexPlan>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.one(plans.next().value as ReindexPlan, signal);
  }

  /** Runs one reindex from its start to its end. */
  async one(plan: ReindexPlan, signal: AbortSignal): Promise<Tracker> {
    const { api, log, counts } = this;
    const source = await this.serving();
    const dest = plan.dest ?? ((plan.back && (await this.otherIndex(source))) || undefined);
    const taskId = `${this.run}-reindex-${++this.serial}`;
    const body = { source: ALIAS, dest: dest ?? `i${this.serial}`, ...(dest ? {} : plan.fresh), ...plan.options };
    this.taskIds.push(taskId);
    this.say(
      `${taskId}: ${source} to ${body.dest}${dest ? ' again' : ''}, ${plan.attack}, ${JSON.stringify(plan.options)}`,
    );
    await insist(log, taskId, (abort) => api.tasks.reindex({ taskId, ...body }, { signal: abort }));
    counts.reindexes++;
    const trial = new Trial(this, taskId, plan.shares);
    const decided = { ...plan, trial };
    const attacked = this.attack(plan, taskId, body.dest, signal);
    let end = await this.endOf(taskId, decided);
    await attacked;
    if (plan.attack === 'cancelThenRestart' && end.status === 'canceled') {
      counts.canceled++;
      counts.restarted++;
      await this.steer('restart', taskId);
      end = await this.endOf(taskId, decided);
    }
    await trial.end();
    this.judge(plan, end);
    const { retire = 'never' } = plan.options;
    if (end.status === 'done' && retire !== 'never') this.retired.add(source);
    if (end.status === 'done' && typeof retire === 'object' && retire.keepCurrent) {
      const turned = await turn(this, { taskId, old: source, fresh: body.dest }, plan);
      // Nothing is deleted after a roll back.
      if (turned) this.retired.delete(source);
    }
    return end;
  }

  private judge({ attack, decision }: ReindexPlan, end: Tracker): void {
    const { counts } = this;
    this.say(`${end.id}: ${end.status} in attempt ${end.attempts}: ${end.detail}`);
    for (const error of end.errors) {
      this.say(`  attempt ${error.attempt}: ${error.stage ?? ''} ${error.type}: ${error.message}`);
      if (error.type === 'VerifyFailed') counts.unexpected.push(`${end.id}: ${error.message}`);
    }
    if (end.status === 'done') {
      counts.cutovers++;
      if (approvalOf(end.data)?.decision?.kind === 'approve') counts.approved++;
      if (typeof end.data.drainMs === 'number') counts.drainMs.push(end.data.drainMs);
      return;
    }
    const stopped: Partial<Record<typeof attack, string>> = {
      cancel: 'canceled',
      terminate: 'canceled',
      ignore: 'ignored',
    };
    if (this.overtaken.has(end.id)) counts.canceled++;
    else if (decision === 'reject' && end.status === 'refused') counts.rejected++;
    else if (end.status !== stopped[attack]) counts.unexpected.push(`${end.id} ended ${end.status}: ${end.detail}`);
    else if (attack === 'terminate') counts.terminated++;
    else counts.canceled++;
  }

  private async attack(plan: ReindexPlan, taskId: string, dest: string, signal: AbortSignal): Promise<void> {
    const { counts } = this;
    if (plan.attack === 'none') return;
    await sleep(plan.attackMs, undefined, { signal }).catch(() => {});
    switch (plan.attack) {
      case 'cancel':
      case 'cancelThenRestart':
      case 'ignore':
        return void (await this.steer(plan.attack === 'ignore' ? 'ignore' : 'cancel', taskId));
      case 'terminate':
        return void (await this.temporal()
          .workflow.getHandle(taskId)
          .terminate('torture')
          .catch(() => {}));
      case 'pause': {
        if (await this.steer('pause', taskId)) counts.paused++;
        await sleep(1_500);
        return void (await this.steer('resume', taskId));
      }
      case 'throttle': {
        if (await this.throttle(taskId, 40)) counts.throttled++;
        await sleep(3_000);
        return void (await this.throttle(taskId, null));
      }
      case 'rival':
        return this.rival(taskId, dest);
      case 'moveByHand':
        return this.moveByHand(taskId, dest, signal);
    }
  }

  /** Starts two more reindexes of the same indexes: one is refused, and one is canceled while it waits. */
  private async rival(taskId: string, dest: string): Promise<void> {
    const { api, log, counts } = this;
    const body = { source: ALIAS, dest, waitSeconds: 1, lockSeconds: 10 };
    const call = (id: string, onConflict: 'refuse' | 'wait') =>
      tryTo(log, id, (signal) => api.tasks.reindex({ taskId: id, ...body, onConflict }, { signal }), ['InvalidInput']);
    const refused = await call(`${taskId}-refused`, 'refuse');
    if (refused && (await this.endOf(refused.id)).status === 'refused') counts.refused++;
    const waiting = await call(`${taskId}-waiting`, 'wait');
    if (!waiting) return;
    await sleep(1_000);
    await this.steer('cancel', waiting.id);
    await this.endOf(waiting.id);
  }

  /**
   * Moves the alias to the destination during the build: refused, unless it serves already, or is complete and the lock
   * has expired. Then nothing may be missing, whatever the outcome of the reindex.
   */
  private async moveByHand(taskId: string, dest: string, signal: AbortSignal): Promise<void> {
    const { api, log } = this;
    const expected = ['NotCurrent', 'IndexNotFound', 'IndexDeleting', 'IndexLocked'];
    for (let attempt = 0; attempt < 5 && !signal.aborted; attempt++) {
      const set = await tryTo(log, `move to ${dest}`, () => api.aliases.set(ALIAS, dest), expected);
      if (set) return void this.overtaken.add(taskId);
      await sleep(300);
    }
  }

  private async decide(taskId: string, decision: Decision): Promise<void> {
    const { api, log } = this;
    const expected = [...TOO_LATE, 'NotAwaitingApproval'];
    await tryTo(log, `${decision} ${taskId}`, () => api.tasks[decision](taskId), expected);
  }

  private async steer(
    verb: 'cancel' | 'restart' | 'pause' | 'resume' | 'ignore',
    taskId: string,
  ): Promise<Tracker | null> {
    const { api, log } = this;
    // A tracker is available even without a worker; only the signal must arrive.
    return tryTo(log, `${verb} ${taskId}`, () => api.tasks[verb](taskId), TOO_LATE);
  }

  private throttle(taskId: string, rate: number | null): Promise<Tracker | null> {
    return tryTo(this.log, `throttle ${taskId}`, () => this.api.tasks.throttle(taskId, rate), TOO_LATE);
  }

  /** Waits for the end of a task. Decides about its switch, if it waits for that, and raises its budget. */
  async endOf(
    taskId: string,
    { decision, decisionMs, maxCalls, trial }: Decided = { decision: null, decisionMs: 0, maxCalls: null },
  ): Promise<Tracker> {
    const ENDS = ['done', 'canceled', 'refused', 'exhausted', 'ignored'];
    let last: Tracker | null = null;
    let [raises, decideMs] = [0, 0];
    for (const endMs = Date.now() + MAX_MS; Date.now() < endMs; await sleep(LOOK_MS)) {
      last = await insist(this.log, `info ${taskId}`, () => this.api.tasks.info(taskId));
      if (ENDS.includes(last.status)) return last;
      if (isBudgetUsedUp(last)) await raiseBudget(this, taskId, { maxCalls, raises: raises++ });
      if (decision !== null && approvalOf(last.data)?.decision === null) {
        decideMs ||= Date.now() + decisionMs;
        trial?.open();
        if (Date.now() >= decideMs && trial?.isRunning !== true) await this.decide(taskId, decision);
      }
      // `failed` is an end only if no other attempt follows.
      if (last.status === 'failed' && last.lock === null && !/again in/.test(last.detail)) return last;
    }
    throw new Error(`${taskId} is stuck: ${JSON.stringify(last)}`);
  }

  private async serving(): Promise<string> {
    const aliases = await insist(this.log, 'aliases', () => this.api.aliases.list());
    return aliases.find(({ alias }) => alias === ALIAS)?.index ?? '';
  }

  private async otherIndex(serving: string): Promise<string | undefined> {
    const indexes = await insist(this.log, 'indexes', () => this.api.indexes.list());
    return indexes.find(
      ({ name, state }) => OWN.test(name) && state === 'active' && name !== serving && !this.retired.has(name),
    )?.name;
  }
}
