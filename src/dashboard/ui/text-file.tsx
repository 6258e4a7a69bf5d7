import { Button, FileButton } from '@mantine/core';
import { bytes } from './format.ts';

/** A text field with more than this makes the browser slow. */
const MAX_BYTES = 5_000_000;

interface TextFileProps {
  onText: (text: string) => void;
  /** Gets why a file is not read; null once one is. */
  onProblem: (problem: string | null) => void;
  /** The command that sends larger files. */
  command: string;
}

/** The button that reads a file of lines into a text field. */
export function TextFile({ onText, onProblem, command }: TextFileProps) {
  const read = async (file: File | null) => {
    if (!file) return;
    if (file.size > MAX_BYTES) {
      return onProblem(
        `${file.name} has ${bytes(file.size)}; the form reads up to ${bytes(MAX_BYTES)}. Send it with “${command}”.`,
      );
    }
    onProblem(null);
    onText(await file.text());
  };
  return (
    <FileButton accept=".ndjson,.jsonl,.txt" onChange={(file) => void read(file)}>
      {(props) => (
        <Button variant="default" {...props}>
          Read a file…
        </Button>
      )}
    </FileButton>
  );
}
