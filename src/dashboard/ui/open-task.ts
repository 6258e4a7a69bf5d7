import { useNavigate } from '@tanstack/react-router';

/** Returns a function that opens the page of a task. */
export function useOpenTask(): (task: { id: string }) => void {
  const navigate = useNavigate();
  return ({ id }) => void navigate({ to: '/tasks/$taskId', params: { taskId: id } });
}
