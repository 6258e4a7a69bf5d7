// Entry point of the threads when the program runs from its sources: they do not inherit tsx from their parent.
import { register } from 'tsx/esm/api';

register();
const { default: encodeGroup } = await import('./group-thread.ts');
export default encodeGroup;
