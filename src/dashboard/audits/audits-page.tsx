import { Text } from '@mantine/core';
import { useState } from 'react';
import { ActionButton } from '../ui/action-button.tsx';
import { PageHead } from '../ui/card.tsx';
import { RecentTasks } from '../ui/recent-tasks.tsx';
import { AuditDialog } from './audit-dialog.tsx';

/** The page of audits: starts one, and lists what the last ones found. */
export function AuditsPage() {
  const [starting, setStarting] = useState(false);
  return (
    <>
      <PageHead title="Audits" actions={<ActionButton onClick={() => setStarting(true)}>New audit…</ActionButton>} />
      <Text fz="sm" c="dimmed" mb="md" maw={720}>
        An audit looks for what is broken inside an index, such as objects that no search can find, and can repair it.
        It changes nothing unless it is asked to repair.
      </Text>
      <RecentTasks title="Audits" filter={AUDITS} />
      {starting && <AuditDialog onClose={() => setStarting(false)} />}
    </>
  );
}

const AUDITS = { type: 'audit' } as const;
