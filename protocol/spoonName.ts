import { SpoonError } from './errors.ts';

const maxSpoonNameLength = 64;

/**
 * A spoon's name, which is also a folder's name below `~/Code` and what people type before the branch.
 * @throws SpoonError `spoon-name-invalid`
 */
export function checkSpoonName(name: string): string {
  const refuse = (why: string): never => {
    throw new SpoonError('spoon-name-invalid', why);
  };
  if (name === '') refuse('It is empty.');
  if (name.length > maxSpoonNameLength) refuse(`It is longer than ${maxSpoonNameLength} characters.`);
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) {
    refuse('It may hold A-Z a-z 0-9 . _ and -, and starts with a letter, a digit or _.');
  }
  if (name.endsWith('.')) refuse('It ends with a dot.');
  return name;
}

/** The name that an address suggests: `https://host/team/api.git` → `api`. Undefined where it suggests none. */
export function spoonNameOf(url: string): string | undefined {
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  const last = path.split('/').findLast((part) => part !== '') ?? '';
  const name = last
    .replace(/\.git$/i, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[.-]+|[.-]+$/g, '')
    .slice(0, maxSpoonNameLength)
    .replace(/\.+$/, '');
  return name === '' ? undefined : name;
}
