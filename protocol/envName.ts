import { SpoonError } from './errors.ts';

const maxNameLength = 128;
/** What decides which program runs, what it loads first, who the user is, or what Spoon itself says. */
const taken = new Set(
  ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'PWD', 'OLDPWD', 'IFS', 'ENV', 'BASH_ENV', 'PS4'].concat([
    'PROMPT_COMMAND',
    'BASHOPTS',
    'SHELLOPTS',
    'NODE_OPTIONS',
    'GIT_SSH',
    'GIT_ASKPASS',
    'SSH_ASKPASS',
    'SPOON',
    '_',
  ]),
);
const takenForms = [/^LD_/, /^DYLD_/, /^SPOON_/, /^GIT_.*COMMAND$/, /^BASH_FUNC_/, /^GIT_CONFIG/];

/**
 * The name of an environment variable that people may set. Upper case only, so two cannot differ in case alone.
 * @throws SpoonError `env-name-invalid`
 */
export function checkEnvName(name: string): string {
  const refuse = (why: string): never => {
    throw new SpoonError('env-name-invalid', why);
  };
  if (name === '') refuse('It is empty.');
  if (name.length > maxNameLength) refuse(`It is longer than ${maxNameLength} characters.`);
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name)) refuse('It may hold A-Z 0-9 and _, and does not start with a digit.');
  if (taken.has(name) || takenForms.some((form) => form.test(name))) {
    refuse(`${name} is one that the shell or Spoon relies on.`);
  }
  return name;
}
