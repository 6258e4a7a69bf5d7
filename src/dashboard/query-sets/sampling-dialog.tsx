import { Checkbox, NumberInput, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { type Sampling, type SamplingRequest, samplingInputSchema } from '../../contract/sampling.ts';
import { reembed } from '../api/client.ts';
import { useChecked } from '../indexes/form.ts';
import { useAct } from '../ui/act.ts';
import { FormDialog } from '../ui/form-dialog.tsx';
import { plural } from '../ui/format.ts';
import { Problem } from '../ui/states.tsx';

interface SamplingDialogProps {
  sampling: Sampling;
  onClose: () => void;
}

const WORDS = {
  share: 'Enter a number from 0 to 100.',
  keep: 'Enter a time from 1m to 90d, such as 7d.',
};

/** Sets which share of the searches by an alias is kept; or ends it and deletes those that are kept. */
export function SamplingDialog({ sampling: { alias, share, keep, searches }, onClose }: SamplingDialogProps) {
  const [percent, setPercent] = useState<number | string>(Number((share * 100).toPrecision(12)));
  const [time, setTime] = useState(keep ?? '7d');
  const [ends, setEnds] = useState(false);
  const { form, check, refuse, errorOf } = useChecked(samplingInputSchema, WORDS);
  const changes = [['sampling', alias]];
  const set = useAct((request: SamplingRequest) => reembed.sampling.set(alias, request), {
    quiet: true,
    changes,
    done: ({ share: now }) => (now === 0 ? `${alias} keeps no further searches` : `Searches by ${alias} are kept`),
    onDone: onClose,
  });
  const end = useAct(() => reembed.sampling.end(alias), {
    quiet: true,
    changes,
    done: () => `The searches by ${alias} are deleted`,
    onDone: onClose,
  });
  const submit = () => {
    if (ends) return end.mutate();
    const request = { share: percent === '' ? Number.NaN : Number(percent) / 100, keep: time };
    if (check(request)) set.mutate(request, { onError: refuse });
  };
  const error = set.error ?? end.error;
  return (
    <FormDialog
      title={`Keep searches by ${alias}`}
      submit={ends ? 'Delete the searches' : 'Set the share'}
      loading={set.isPending || end.isPending}
      onSubmit={submit}
      onClose={onClose}
      form={form}
    >
      <Text fz="sm">
        Texts of searches are stored as your users typed them. Only tokens with the role queries read them.
      </Text>
      <NumberInput
        label="Share of the searches"
        description="0: no further ones are kept."
        suffix=" %"
        value={percent}
        onChange={setPercent}
        disabled={ends}
        error={errorOf('share')}
        data-autofocus
      />
      <TextInput
        label="Kept for"
        description="From 1m to 90d"
        value={time}
        onChange={(event) => setTime(event.currentTarget.value)}
        error={errorOf('keep')}
        disabled={ends}
      />
      {searches > 0 && (
        <Checkbox
          label={`Keep no further ones, and delete ${plural(searches, 'search', 'searches')}`}
          checked={ends}
          onChange={(event) => setEnds(event.currentTarget.checked)}
        />
      )}
      {error && <Problem error={error} title="Nothing was changed" />}
    </FormDialog>
  );
}
