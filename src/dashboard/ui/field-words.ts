/** Says what is wrong with a field of a form in the words of the form, not in those of the API. */

/** Settings as messages of the API call them, and as the forms do. */
const NAMES: [setting: string, name: string][] = [
  ['`retire.after`', '“Deleted after”'],
  ['half of chunkSize', 'half of the part'],
  ['half of chunkTokens', 'half of the part'],
  ['at least twice m', 'at least twice the neighbors'],
  ['or apiKeyEnv', 'or the variable that holds the key'],
];

const RELATIONS: Record<string, string> = { above: 'more than', below: 'less than' };
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 6 });

/** Returns a message of the contract as a sentence to the person who fills in the form. */
export function fieldWords(message: string, isEmpty = false): string {
  const asksNumber = /^(?:is required \(|must be )(?:a number|an integer)/.test(message);
  if (message === 'must be an integer') return 'Enter a whole number.';
  if (asksNumber) return 'Enter a number.';
  if (isEmpty || message.startsWith('is required') || message === 'must not be empty') return 'Enter a value.';
  const bound = /^must (?:be|have) (at least|at most|above|below) (\d+(?:\.\d+)?)( characters)?$/.exec(message);
  if (bound) {
    const [, relation = '', value, unit = ''] = bound;
    return `Enter ${RELATIONS[relation] ?? relation} ${number.format(Number(value))}${unit}.`;
  }
  if (/^(?:lower-case )?letters, /.test(message)) return `Use ${message}.`;
  const named = NAMES.reduce((text, [setting, name]) => text.replaceAll(setting, name), message);
  const sentence = `${named.charAt(0).toUpperCase()}${named.slice(1)}`;
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
