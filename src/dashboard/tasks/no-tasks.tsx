import { LinkButton } from '../ui/links.tsx';
import { Empty } from '../ui/states.tsx';

/** What a newcomer sees where tasks will be. */
export function NoTasks() {
  return (
    <Empty
      title="No tasks yet"
      action={
        <LinkButton variant="default" to="/indexes">
          Go to the indexes
        </LinkButton>
      }
    >
      Everything that is written, deleted or rebuilt is a task. Create an index first, or send a call to the API: its
      reference has examples.
    </Empty>
  );
}
