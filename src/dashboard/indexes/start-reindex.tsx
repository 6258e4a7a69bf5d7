import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { indexesQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { ReindexDialog } from './reindex-dialog.tsx';

interface StartReindexProps {
  source?: string;
  /** Whether the source is locked by another reindex, for which a new one would wait. */
  waits?: boolean;
}

/** The button that opens the reindex form. */
export function StartReindex({ source, waits = false }: StartReindexProps) {
  const { data } = useQuery(indexesQuery);
  const [open, dialog] = useDisclosure();
  const unless = data?.length === 0 ? 'There is no index yet.' : null;
  return (
    <>
      <ActionButton variant={waits ? 'default' : 'filled'} unless={unless} onClick={dialog.open}>
        Reindex…
      </ActionButton>
      {open && <ReindexDialog source={source} onClose={dialog.close} />}
    </>
  );
}
