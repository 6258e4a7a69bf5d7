import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FieldIssue } from '../../contract/errors.ts';
import type { Comparison } from '../../contract/filters/operators.ts';
import { Choice, type Option } from '../ui/choice.tsx';
import { Fold } from '../ui/fold.tsx';
import { OPERATORS, withCondition } from './filter.ts';

interface FilterEditorProps {
  value: string;
  onChange: (value: string) => void;
  issues: readonly FieldIssue[];
}

const OPTIONS = Object.entries(OPERATORS).map(([value, label]) => ({ value, label })) as Option<Comparison>[];

/** A filter as JSON, with what is wrong with each field, and a form that adds a condition. */
export function FilterEditor({ value, onChange, issues }: FilterEditorProps) {
  const [field, setField] = useState('');
  const [operator, setOperator] = useState<Comparison>('eq');
  const [operand, setOperand] = useState('');
  const mayAdd = issues.length === 0 && field.trim() !== '' && (operand !== '' || operator === 'exists');
  return (
    <Fold title="Filter" summary={value.trim() === '' ? 'by metadata' : value.slice(0, 60)} isOpen={value !== ''}>
      <Stack gap="xs">
        <Textarea
          label="Metadata filter (JSON)"
          description='Such as {"lang": "en", "year": {"gte": 2020}}; empty: all objects'
          autosize
          minRows={2}
          maxRows={10}
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
          error={issues.length > 0 && <Issues issues={issues} />}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          spellCheck={false}
        />
        <Group gap="xs" align="flex-end" role="group" aria-label="Add a condition">
          <TextInput
            label="Field"
            value={field}
            onChange={(event) => setField(event.currentTarget.value)}
            style={{ flex: '2 1 110px' }}
            spellCheck={false}
          />
          <div style={{ flex: '1 1 110px' }}>
            <Choice label="Condition" options={OPTIONS} value={operator} onChange={setOperator} />
          </div>
          <TextInput
            label={operator === 'in' || operator === 'nin' ? 'Values, with commas' : 'Value'}
            value={operand}
            onChange={(event) => setOperand(event.currentTarget.value)}
            style={{ flex: '2 1 110px' }}
            spellCheck={false}
          />
          <Button
            variant="default"
            disabled={!mayAdd}
            onClick={() => onChange(withCondition(value, field.trim(), operator, operand))}
          >
            Add
          </Button>
        </Group>
      </Stack>
    </Fold>
  );
}

function Issues({ issues }: { issues: readonly FieldIssue[] }) {
  return issues.map(({ path, message }) => (
    <span key={`${path} ${message}`} style={{ display: 'block' }} className="wrap">
      {path !== '' && <code>{path}</code>} {message}
    </span>
  ));
}
