/** An empty variable counts as one that is not set: that is what an empty line of an env file means. */
export function given(env: NodeJS.ProcessEnv, variable: string): string | undefined {
  const value = env[variable]?.trim();
  return value === '' ? undefined : value;
}
