import { dotfileManagers } from '../protocol/dotfileManagers.ts';
import type { RepositoryPreview } from '../protocol/repository.ts';

/** What a run of the dotfiles repository would do, in plain lines. */

const actions: Readonly<Record<RepositoryPreview['links'][number]['action'], string>> = {
  linked: 'link',
  displaced: 'link; what is there goes to ~/.spoon/backup',
  unlinked: 'take the link out',
  restored: 'take the link out, and put back what was there',
  kept: 'leave as it is: a dotfile of Spoon',
};
const changes = { added: '+', changed: '~', removed: '-' } as const;

export function previewText(preview: RepositoryPreview): string[] {
  const { commit, before, wouldRun, files, moreFiles, links, moreLinks, notes } = preview;
  const from = before === null || before === commit ? '' : `${before.slice(0, 12)} → `;
  return [
    `Commit ${from}${commit.slice(0, 12)}`,
    ...(wouldRun ? [] : ['Nothing changed since the last setup that ended well: it would not run by itself.']),
    '',
    ...setupLines(preview),
    ...section(`In ~/.dotfiles: ${countOf(files.length + moreFiles, 'file')} changed`, [
      ...files.map(({ path, change }) => `${changes[change]} ${path}`),
      ...more(moreFiles),
    ]),
    ...section(`In the home: ${countOf(links.length + moreLinks, 'path')}`, [
      ...links.map(({ path, action }) => `~/${path}: ${actions[action]}`),
      ...more(moreLinks),
    ]),
    ...section('Also', notes),
    '',
    'Your dotfiles in Spoon are written last, and win. Nothing was changed.',
    ...diffLines(preview),
  ];
}

/** Not set in: an editor colours it as what it is. */
function diffLines({ diff, before, commit }: RepositoryPreview): string[] {
  if (diff === undefined || diff.text === '') return [];
  return [
    '',
    'What changes in ~/.dotfiles:',
    '',
    ...diff.text.trimEnd().split('\n'),
    ...(diff.isCut
      ? ['', `… It is longer. For all of it: git -C ~/.dotfiles diff ${before} ${commit}, once it is fetched.`]
      : []),
  ];
}

function setupLines({ setup }: RepositoryPreview): string[] {
  switch (setup.kind) {
    case 'script': {
      const script = setup.text
        .trimEnd()
        .split('\n')
        .map((line) => `  | ${line}`);
      return [
        `Setup: ${setup.interpreter} ./${setup.path}, as you, in ~/.dotfiles. What it does elsewhere:`,
        ...script,
      ];
    }
    case 'manager':
      return [`Setup: ${dotfileManagers[setup.manager].command}`];
    case 'offered':
      return [
        `Setup: none. It looks like ${dotfileManagers[setup.manager].title}; its command would be offered:`,
        `  ${dotfileManagers[setup.manager].command}`,
      ];
    case 'links':
      return ['Setup: none. Its dot entries are linked into the home.'];
    case 'problem':
      return [`Setup: ${setup.detail}`];
  }
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function more(count: number): string[] {
  return count === 0 ? [] : [`… and ${count} more`];
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
