const DAY =
  '(?!0000)(?:(?:\\d\\d[2468][048]|\\d\\d[13579][26]|\\d\\d0[48]|[02468][048]00|[13579][26]00)-02-29|\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8])))';
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,9})?)?';
const ZONE = '(?:Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)';

/** Dates and times in ISO 8601 that exist, for JavaScript and Postgres alike. Without a zone they are in UTC. */
export const DATE_PATTERN = `^${DAY}(?:T${TIME}${ZONE}?)?$`;
/** Those of them that have a zone. */
export const ZONE_PATTERN = `T.*${ZONE}$`;

const date = new RegExp(DATE_PATTERN);

/** Whether a text is a date or a time that can be compared as an instant. */
export function isDate(text: string): boolean {
  return date.test(text);
}
