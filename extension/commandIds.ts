const dotfileCommandIds = [
  'spoon.dotfiles.newFile',
  'spoon.dotfiles.newFolder',
  'spoon.dotfiles.uploadFiles',
  'spoon.dotfiles.uploadFolder',
  'spoon.dotfiles.uploadResources',
  'spoon.dotfiles.import',
  'spoon.dotfiles.refresh',
  'spoon.dotfiles.openByPath',
  'spoon.dotfiles.openInExplorer',
  'spoon.dotfiles.open',
  'spoon.dotfiles.openToSide',
  'spoon.dotfiles.reveal',
  'spoon.dotfiles.rename',
  'spoon.dotfiles.duplicate',
  'spoon.dotfiles.changeMode',
  'spoon.dotfiles.delete',
  'spoon.dotfiles.download',
  'spoon.dotfiles.cut',
  'spoon.dotfiles.copy',
  'spoon.dotfiles.paste',
  'spoon.dotfiles.copyPath',
  'spoon.dotfiles.history',
  'spoon.dotfiles.restoreVersion',
  'spoon.dotfiles.restoreDeleted',
  'spoon.dotfiles.compareWithLocal',
  'spoon.dotfiles.compareWithHome',
  'spoon.dotfiles.takeFromHome',
  'spoon.dotfiles.restoreInHome',
  'spoon.dotfiles.mergeWithHome',
] as const;

const repositoryCommandIds = [
  'spoon.repository.configure',
  'spoon.repository.checkForUpdates',
  'spoon.repository.update',
  'spoon.repository.run',
  'spoon.repository.cancel',
  'spoon.repository.showLog',
  'spoon.repository.switchOnOrOff',
  'spoon.repository.remove',
] as const;

/** Every command of the extension; a test holds this list, the manifest and the registrations to each other. */
export const commandIds = [
  'spoon.signIn',
  'spoon.signOut',
  'spoon.switchService',
  'spoon.reconnect',
  'spoon.showStatus',
  'spoon.openThreadTerminal',
  'spoon.openThreadTerminalToSide',
  'spoon.openSafeTerminal',
  ...dotfileCommandIds,
  ...repositoryCommandIds,
  'spoon.showLog',
  'spoon.copyDiagnostics',
  'spoon.openSettings',
  'spoon.openWalkthrough',
] as const;

export type CommandId = (typeof commandIds)[number];
export type RepositoryCommandId = (typeof repositoryCommandIds)[number];
export type DotfileCommandId = (typeof dotfileCommandIds)[number];
