import type { ApiClient } from '../../client/apiClient.ts';
import { DotfilesApi } from '../../client/dotfilesApi.ts';
import type { Applied } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { findSecrets, type SecretFinding } from '../../protocol/secretRules.ts';
import { type CommandLine, UsageError } from '../commandLine.ts';
import { connect } from '../connection.ts';
import { typedHomePath } from '../typedPath.ts';

/** What the commands about dotfiles share: how to reach them, and how to say what became of them. */
export interface Reached {
  readonly client: ApiClient;
  readonly api: DotfilesApi;
  /** What a person types, as the path that is meant. */
  readonly pathOf: (typed: string) => HomePath;
}

export async function reach(line: CommandLine): Promise<Reached> {
  const { api, username } = await connect(line);
  return {
    client: api,
    api: new DotfilesApi(api),
    pathOf: (typed) => typedHomePath(typed, { localHome: line.homeDir, username }),
  };
}

export function versionOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError('A version is a whole number from 1 on.');
  return Number(text);
}

/** A removed dotfile by the path that it had; the last one removed. @throws SpoonError `not-found` */
export async function removedAt(api: DotfilesApi, path: HomePath): Promise<{ id: string }> {
  const found = (await api.deleted()).find((dotfile) => dotfile.path === path);
  if (found === undefined) throw new SpoonError('not-found', `Nothing is kept at ${path}, also not among the removed.`);
  return { id: found.id };
}

export function withApplied(done: string, { state, detail }: Applied): string {
  const inBox: Record<Applied['state'], string> = {
    applied: 'Your box has the change.',
    conflict: 'Your box has the change; what was edited there is kept as a version.',
    refused: 'Your box could not take it.',
    pending: 'Your box will take it in a moment.',
    boxOff: 'Your box is off and takes it at its next start.',
    off: 'Dotfiles are turned off: it is kept in Spoon, and your home gets it after spoonctl dotfiles on.',
  };
  return [done, inBox[state], ...(detail === undefined ? [] : [detail])].join(' ');
}

export function countOf(count: number, noun = 'dotfile'): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** One calm line for each file, on stderr; never what was found. */
export function noteSecrets(line: CommandLine, found: readonly { path: string; what: string; line: number }[]): void {
  const shown = 10;
  for (const { path, what, line: number } of found.slice(0, shown)) {
    line.note(
      `${path} looks as if it holds ${what} (line ${number}). It is sealed in Spoon; your box shows it to every program.`,
    );
  }
  if (found.length > shown) line.note(`So do ${countOf(found.length - shown, 'other file')}.`);
}

export function secretsIn(path: string, bytes: Uint8Array): { path: string; what: string; line: number }[] {
  const [first]: readonly SecretFinding[] = findSecrets(path, bytes);
  return first === undefined ? [] : [{ path, what: first.what, line: first.line }];
}
