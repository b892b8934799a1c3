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
  'spoon.dotfiles.layers',
] as const;

const repositoryCommandIds = [
  'spoon.repository.configure',
  'spoon.repository.checkForUpdates',
  'spoon.repository.update',
  'spoon.repository.run',
  'spoon.repository.preview',
  'spoon.repository.rollBack',
  'spoon.repository.changeAccess',
  'spoon.repository.alwaysOrAsk',
  'spoon.repository.cancel',
  'spoon.repository.showLog',
  'spoon.repository.switchOnOrOff',
  'spoon.repository.remove',
] as const;

const secretCommandIds = [
  'spoon.secrets.new',
  'spoon.secrets.replace',
  'spoon.secrets.changeScope',
  'spoon.secrets.delete',
  'spoon.secrets.copyName',
  'spoon.secrets.import',
  'spoon.secrets.move',
  'spoon.secrets.refresh',
] as const;

const jobCommandIds = [
  'spoon.job.new',
  'spoon.job.runPrompt',
  'spoon.job.cancel',
  'spoon.job.retry',
  'spoon.job.showLog',
  'spoon.job.openLogAsText',
  'spoon.job.showDiff',
  'spoon.job.remove',
  'spoon.jobs.search',
  'spoon.jobs.clear',
  'spoon.jobs.refresh',
] as const;

const adminCommandIds = [
  'spoon.admin.signIn',
  'spoon.admin.signOut',
  'spoon.admin.refresh',
  'spoon.admin.stopBox',
  'spoon.admin.disableUser',
  'spoon.admin.enableUser',
  'spoon.admin.inviteUser',
  'spoon.admin.revokeTokens',
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
  'spoon.profileShellStartup',
  'spoon.thread.new',
  'spoon.thread.browse',
  'spoon.thread.search',
  'spoon.thread.goToFile',
  'spoon.thread.update',
  'spoon.thread.delete',
  'spoon.thread.copyPath',
  'spoon.threads.refresh',
  'spoon.session.attach',
  'spoon.session.end',
  'spoon.box.start',
  'spoon.box.stop',
  'spoon.box.restart',
  'spoon.box.keep',
  'spoon.box.usage',
  'spoon.box.why',
  ...dotfileCommandIds,
  ...repositoryCommandIds,
  ...secretCommandIds,
  ...jobCommandIds,
  ...adminCommandIds,
  'spoon.showLog',
  'spoon.copyDiagnostics',
  'spoon.openSettings',
  'spoon.openWalkthrough',
] as const;

export type CommandId = (typeof commandIds)[number];
export type RepositoryCommandId = (typeof repositoryCommandIds)[number];
export type SecretCommandId = (typeof secretCommandIds)[number];
export type JobCommandId = (typeof jobCommandIds)[number];
export type AdminCommandId = (typeof adminCommandIds)[number];
export type DotfileCommandId = (typeof dotfileCommandIds)[number];
