import { Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { indexesQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { Aliases } from './aliases.tsx';
import { CreateIndex } from './create-index.tsx';
import { IndexTable } from './index-table.tsx';
import { StartReindex } from './start-reindex.tsx';

/** All indexes and aliases. */
export function IndexesPage() {
  const { data, error, refetch } = useQuery(indexesQuery);
  const [creating, dialog] = useDisclosure();
  const create = (
    <ActionButton variant={data?.length ? 'default' : 'filled'} needs="admin" onClick={dialog.open}>
      New index…
    </ActionButton>
  );
  const taken = data?.flatMap(({ name, aliases }) => [name, ...aliases]) ?? [];
  return (
    <>
      <PageHead
        title="Indexes"
        actions={
          <>
            {data?.length ? create : null}
            {data?.length ? <StartReindex /> : null}
          </>
        }
      />
      <Stack gap="md">
        <Card flush>
          {error && !data && (
            <Problem error={error} retry={() => void refetch()} title="The indexes cannot be listed" />
          )}
          {!data && !error && <Loading />}
          {data?.length === 0 && (
            <Empty title="No indexes yet" action={create}>
              An index holds objects and their vectors, embedded by one model. An alias is the stable name that your
              service uses for it.
            </Empty>
          )}
          {data && data.length > 0 && <IndexTable indexes={data} />}
        </Card>
        {data && data.length > 0 && <Aliases indexes={data} />}
      </Stack>
      {creating && <CreateIndex taken={taken} onClose={dialog.close} />}
    </>
  );
}
