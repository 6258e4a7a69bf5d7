// Entry point of the threads of local models when the program runs from its sources: they do not inherit tsx from
// their parent.
import { register } from 'tsx/esm/api';

register();
const { default: embedInThread } = await import('./local-thread.ts');
export default embedInThread;
