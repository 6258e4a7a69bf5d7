const PREFIX = 'reembed-schedule';

/** The signature of a schedule: there is one for each job and key on a task queue. */
export interface ScheduleSignature {
  /** Of the workflows: tells the schedules of several applications in one namespace apart. */
  taskQueue: string;
  /** Of the job. */
  name: string;
  key: string;
}

/** The id of Temporal's schedule, so that one signature has one: `reembed-schedule/<queue>/<name>/<key>`. */
export function scheduleIdOf({ taskQueue, name, key }: ScheduleSignature): string {
  return `${idPrefixOf(taskQueue)}${encode(name)}/${encode(key)}`;
}

/** With which the ids of all schedules of a task queue begin, or of one job there. */
export function idPrefixOf(taskQueue: string, name?: string): string {
  const queue = `${PREFIX}/${encode(taskQueue)}/`;
  return name === undefined ? queue : `${queue}${encode(name)}/`;
}

/** The signature that an id tells; undefined for schedules that are not ours. */
export function signatureOf(scheduleId: string): ScheduleSignature | undefined {
  const [prefix, ...parts] = scheduleId.split('/');
  if (prefix !== PREFIX || parts.length !== 3) return undefined;
  const [taskQueue, name, key] = parts.map(decode);
  return taskQueue && name && key ? { taskQueue, name, key } : undefined;
}

/** Without quotes, so that an id can stand in Temporal's query language. */
function encode(part: string): string {
  return encodeURIComponent(part).replaceAll("'", '%27');
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
