import { ActionIcon, type MantineColorScheme, useMantineColorScheme } from '@mantine/core';
import { DesktopIcon, MoonIcon, SunIcon } from '@radix-ui/react-icons';

const SCHEMES: Record<MantineColorScheme, { next: MantineColorScheme; words: string }> = {
  auto: { next: 'light', words: 'as the system' },
  light: { next: 'dark', words: 'light' },
  dark: { next: 'auto', words: 'dark' },
};

/** Goes through the colors: as the system, which is the default, light, dark. */
export function ColorScheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { next, words } = SCHEMES[colorScheme];
  const label = `Colors: ${words}. Change to ${SCHEMES[next].words}`;
  return (
    <ActionIcon aria-label={label} title={label} onClick={() => setColorScheme(next)}>
      {colorScheme === 'auto' ? <DesktopIcon /> : colorScheme === 'light' ? <SunIcon /> : <MoonIcon />}
    </ActionIcon>
  );
}
