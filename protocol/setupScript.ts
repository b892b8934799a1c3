import { SpoonError } from './errors.ts';
import { type HomePath, parseHomePath } from './homePath.ts';

/** The names that everybody expects, in their order (GitHub Codespaces, Dev Containers, Coder). */
export const setupNames = [
  'install.sh',
  'install',
  'bootstrap.sh',
  'bootstrap',
  'script/bootstrap',
  'setup.sh',
  'setup',
  'script/setup',
] as const;

/** Where the dotfiles repository is in the home. */
export const repositoryFolder = '.dotfiles';

/**
 * The path of a setup script below the repository. It becomes one argument of a program and is seen by no shell.
 * @throws SpoonError `setup-path-invalid`
 */
export function checkSetupPath(path: string): HomePath {
  try {
    return parseHomePath(path);
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    throw new SpoonError(
      'setup-path-invalid',
      `Give it relative to the repository, such as script/setup. ${error.title}`,
    );
  }
}
