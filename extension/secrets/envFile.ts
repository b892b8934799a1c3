import { checkEnvName } from '../../protocol/envName.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxSecretBytes } from '../../protocol/limits.ts';

/** What of a `.env` file can be a secret. No VS Code in here. */

export interface EnvEntry {
  readonly name: string;
  readonly value: string;
}

export interface RefusedEntry {
  readonly name: string;
  readonly why: string;
}

export interface EnvFile {
  readonly entries: readonly EnvEntry[];
  readonly refused: readonly RefusedEntry[];
}

/** @param parsed by name, as a parser of such files gives them */
export function sortEntries(parsed: Readonly<Record<string, string>>): EnvFile {
  const entries: EnvEntry[] = [];
  const refused: RefusedEntry[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    const why = whyNot(name, value);
    if (why === undefined) entries.push({ name, value });
    else refused.push({ name, why });
  }
  return { entries, refused };
}

function whyNot(name: string, value: string): string | undefined {
  try {
    checkEnvName(name);
  } catch (error) {
    if (error instanceof SpoonError) return error.detail ?? error.message;
    throw error;
  }
  if (value === '') return 'It has no value.';
  if (value.includes('\0')) return 'Its value has a NUL, which no variable can hold.';
  if (new TextEncoder().encode(value).length > maxSecretBytes) {
    return `Its value is larger than ${maxSecretBytes / 1024} KiB.`;
  }
  return undefined;
}
