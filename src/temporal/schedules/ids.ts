const PREFIX = 'reembed-schedule';

/** The signature of a schedule: there is one schedule per job and key on a task queue. */
export interface ScheduleSignature {
  /** The workflows' task queue: distinguishes the schedules of several applications in one namespace. */
  taskQueue: string;
  /** The job's name. */
  name: string;
  key: string;
}

/** Returns the id of Temporal's schedule, unique per signature: `reembed-schedule/<queue>/<name>/<key>`. */
export function scheduleIdOf({ taskQueue, name, key }: ScheduleSignature): string {
  return `${idPrefixOf(taskQueue)}${encode(name)}/${encode(key)}`;
}

/** Returns the prefix of the ids of all schedules of a task queue, or of one of its jobs. */
export function idPrefixOf(taskQueue: string, name?: string): string {
  const queue = `${PREFIX}/${encode(taskQueue)}/`;
  return name === undefined ? queue : `${queue}${encode(name)}/`;
}

/** Parses the signature from an id; undefined for schedules of other products. */
export function signatureOf(scheduleId: string): ScheduleSignature | undefined {
  const [prefix, ...parts] = scheduleId.split('/');
  if (prefix !== PREFIX || parts.length !== 3) return undefined;
  const [taskQueue, name, key] = parts.map(decode);
  return taskQueue && name && key ? { taskQueue, name, key } : undefined;
}

/** Encodes a part of an id, including quotes, so that the id can be used in Temporal's query language. */
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
