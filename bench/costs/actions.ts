/** Temporal actions that a server has counted so far: those of heartbeats, and all others. */
export interface Actions {
  heartbeats: number;
  others: number;
}

const LINE = /^action\{([^}]*)\} (\S+)$/;

/**
 * Reads the server's own counter of what Temporal Cloud bills, for one namespace, from its metrics. Queries are left out:
 * each view of a task makes one, and none is required.
 */
export function actionsIn(metrics: string, namespace: string): Actions {
  const counted: Actions = { heartbeats: 0, others: 0 };
  for (const line of metrics.split('\n')) {
    const [, labels = '', value] = LINE.exec(line) ?? [];
    if (value === undefined || !labels.includes(`namespace="${namespace}"`)) continue;
    if (labels.includes('QueryWorkflow')) continue;
    counted[labels.includes('Heartbeat') ? 'heartbeats' : 'others'] += Number(value);
  }
  return counted;
}

/** Reads the counter of the `default` namespace of a server. */
export async function readActions(metricsUrl: string): Promise<Actions> {
  const response = await fetch(metricsUrl);
  if (!response.ok) throw new Error(`the metrics of Temporal answered ${response.status}`);
  return actionsIn(await response.text(), 'default');
}
