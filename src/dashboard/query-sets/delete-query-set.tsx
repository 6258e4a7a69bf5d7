import { Text } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { plural } from '../ui/format.ts';
import { Problem } from '../ui/states.tsx';
import { TypeToConfirm } from '../ui/type-to-confirm.tsx';

interface DeleteQuerySetProps {
  name: string;
  queries: number;
  onClose: () => void;
}

/** Deletes a query set after its name has been typed: someone may have judged it by hand. */
export function DeleteQuerySet({ name, queries, onClose }: DeleteQuerySetProps) {
  const navigate = useNavigate();
  const remove = useAct(() => reembed.querySets.delete(name), {
    quiet: true,
    done: () => `The query set ${name} is deleted`,
    onDone: () => {
      onClose();
      void navigate({ to: '/query-sets' });
    },
  });
  return (
    <TypeToConfirm
      title={`Delete ${name}?`}
      name={name}
      confirm="Delete the query set"
      keep="Keep it"
      loading={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text fz="sm">
        {plural(queries, 'query', 'queries')} with their judgments are deleted. Reports of comparisons are kept. This
        cannot be undone.
      </Text>
      {remove.error && <Problem error={remove.error} title="The query set was not deleted" />}
    </TypeToConfirm>
  );
}
