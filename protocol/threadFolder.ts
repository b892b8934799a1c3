/** Below the home; what is in it are checkouts, and never dotfiles. */
export const codeFolder = 'Code';

/** The folder of a thread, relative to the home. Branches nest as git's refs do (decision 14). */
export function threadFolder(spoon: string, branch: string): string {
  return `${codeFolder}/${spoon}/${branch}`;
}
