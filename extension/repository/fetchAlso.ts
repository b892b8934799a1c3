import * as vscode from 'vscode';
import type { RepositoryState } from '../../protocol/repository.ts';
import type { Connection } from '../connection/connection.ts';

interface ExtraItem extends vscode.QuickPickItem {
  readonly extra: 'submodules' | 'lfs';
}

/** What is fetched beside the repository's own files. @returns undefined when nothing was changed @throws SpoonError */
export async function chooseFetchAlso({ api, repository }: Connection): Promise<RepositoryState | undefined> {
  const settings = repository.state?.settings;
  if (!settings) return undefined;
  const items: ExtraItem[] = [
    {
      extra: 'submodules',
      label: vscode.l10n.t('Submodules'),
      detail: vscode.l10n.t('Over https, from the hosts that the repository itself may come from'),
      picked: settings.submodules ?? false,
    },
    {
      extra: 'lfs',
      label: vscode.l10n.t('Large Files (Git LFS)'),
      detail: vscode.l10n.t('Needs git-lfs in the image of your box'),
      picked: settings.lfs ?? false,
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    title: vscode.l10n.t('Fetch with Your Dotfiles Repository'),
    placeHolder: vscode.l10n.t('A change runs the setup once more'),
  });
  if (picked === undefined) return undefined;
  const isOn = (wanted: ExtraItem['extra']) => picked.some(({ extra }) => extra === wanted);
  const [submodules, lfs] = [isOn('submodules'), isOn('lfs')];
  if (submodules === (settings.submodules ?? false) && lfs === (settings.lfs ?? false)) return undefined;
  return api.call('setRepository', { body: { ...settings, submodules, lfs } });
}
