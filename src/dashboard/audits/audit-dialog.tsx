import { useState } from 'react';
import { type AuditRequest, auditSchema } from '../../contract/audit.ts';
import { reembed } from '../api/client.ts';
import { useChecked } from '../indexes/form.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { useStartTask } from '../ui/start-task.ts';
import { Problem } from '../ui/states.tsx';
import { AuditFields, auditDraft, auditOf } from './audit-fields.tsx';

interface AuditDialogProps {
  /** What is filled in. */
  given?: Partial<AuditRequest>;
  onClose: () => void;
}

/** Starts an audit of an index, of a range of its ids, or of a source. */
export function AuditDialog({ given, onClose }: AuditDialogProps) {
  const [draft, setDraft] = useState(() => auditDraft(given));
  const { check, refuse, errorOf } = useChecked(auditSchema);
  const start = useStartTask((body: AuditRequest) => reembed.tasks.audit(body), onClose);
  const submit = () => {
    const body = auditOf(draft);
    if (check(body)) start.mutate(body, { onError: refuse });
  };
  return (
    <FormDialog
      title="New audit"
      submit={draft.repair ? 'Audit and repair' : 'Start the audit'}
      loading={start.isPending}
      onSubmit={submit}
      onClose={onClose}
    >
      <AuditFields draft={draft} onChange={setDraft} errorOf={errorOf} />
      {start.error && <Problem error={start.error} title="The audit was not started" />}
    </FormDialog>
  );
}
