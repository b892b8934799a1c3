/** Known, but not the service's, or without effect in this version. */
const foreignVariables = new Set(['SPOON_TOKEN', 'SPOON_URL', 'SPOON_HOME', 'SPOON_SOCKET', 'SPOON_CONFIG']);
const laterVariables = new Set(['SPOON_AGENT_NETWORK']);

/**
 * What was set and is of no use, in words for the log.
 * @param read those that are settings
 */
export function unusedVariables(environment: NodeJS.ProcessEnv, read: ReadonlySet<string>): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('SPOON_') && !read.has(name) && !foreignVariables.has(name))
    .sort()
    .map((name) =>
      laterVariables.has(name) ? `${name} has no effect in this version.` : `${name} is not a setting of Spoon.`,
    );
}
