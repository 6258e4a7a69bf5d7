// The entry of threads that split when the program runs from its sources: they are not given tsx by their parent.
import { register } from 'tsx/esm/api';

register();
const { default: splitInThread } = await import('./split-thread.ts');
export default splitInThread;
