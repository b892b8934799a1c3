/** A dotfiles manager whose folder this is, and what that means for taking it as it is. No I/O. */
export interface Manager {
  readonly name: 'chezmoi' | 'yadm' | 'GNU Stow' | 'Dotbot';
  /** What to do instead. */
  readonly hint: string;
}

/** @param names of what is directly in the folder */
export function managerOf(names: readonly string[]): Manager | undefined {
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/^\.chezmoi/) || has(/^(private_|executable_)*dot_/)) {
    return {
      name: 'chezmoi',
      hint: 'Its names are not those of the home: dot_bashrc becomes .bashrc. To get the files themselves, run chezmoi archive --output dotfiles.tar, unpack it, and import that folder.',
    };
  }
  if (has(/^(install\.conf\.ya?ml|dotbot)$/)) {
    return {
      name: 'Dotbot',
      hint: 'Which file goes where stands in its install.conf.yaml. Run its install command in a thread terminal to have them in their places.',
    };
  }
  if (has(/^\.stow(rc|-local-ignore|-global-ignore)?$/)) {
    return {
      name: 'GNU Stow',
      hint: 'Each folder in it is a package whose content belongs into the home. Import the packages one by one.',
    };
  }
  if (has(/^\.(yadm|config\/yadm)$/) || has(/##(os|hostname|class|distro|template|default|o|h|c|d)\b/)) {
    return {
      name: 'yadm',
      hint: 'Its alternates (names with ##) are files for one machine or another. Import the home that yadm has made instead.',
    };
  }
  return undefined;
}
