import { ActionIcon, Kbd, Modal, Table } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { QuestionMarkCircledIcon } from '@radix-ui/react-icons';

const SHORTCUTS: readonly [keys: readonly string[], does: string][] = [
  [['/', 'Ctrl K', '⌘ K'], 'Find an index, an alias, a job or a task'],
  [['Enter'], 'Open the first thing that was found, or submit a form'],
  [['Esc'], 'Close a dialog'],
  [['Tab', 'Shift Tab'], 'Go to the next control, or to the previous one'],
  [['?'], 'Show this list'],
];

/** The button and the key that list the shortcuts. */
export function Shortcuts() {
  const [isOpen, { open, close }] = useDisclosure();
  // Layouts differ in whether a question mark needs Shift.
  useHotkeys([
    ['shift+?', open],
    ['?', open],
  ]);
  return (
    <>
      <ActionIcon aria-label="Shortcuts" title="Shortcuts (?)" onClick={open} visibleFrom="sm">
        <QuestionMarkCircledIcon />
      </ActionIcon>
      {isOpen && (
        <Modal opened onClose={close} title="Shortcuts">
          <Table aria-label="Shortcuts">
            <Table.Tbody>
              {SHORTCUTS.map(([keys, does]) => (
                <Table.Tr key={does}>
                  <Table.Td className="nowrap">
                    {keys.map((key) => (
                      <Kbd key={key} mr={6}>
                        {key}
                      </Kbd>
                    ))}
                  </Table.Td>
                  <Table.Td>{does}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Modal>
      )}
    </>
  );
}
