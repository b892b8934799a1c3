import { chmodSync, closeSync, fstatSync, lstatSync, openSync } from 'node:fs';
import type { StageReport } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { defaultFileMode } from '../../protocol/fileMode.ts';
import { HomeDirectory } from './homeDirectory.ts';
import { toHomeError } from './homeErrors.ts';
import { look, writeFile } from './homeFiles.ts';
import { walkFlags } from './pinnedFolder.ts';

/** What a login bash reads where the user has none. It reads only the first of .bash_profile, .bash_login and .profile. */
export const bashProfile = `# Made by Spoon because this home had none. It is yours: Spoon does not write it again.
# A login shell of bash reads this file only, so it brings in the other two.
[ -r ~/.profile ] && . ~/.profile
# Debian's ~/.profile reads ~/.bashrc itself; once is enough.
if [ -r ~/.bashrc ] && ! { [ -r ~/.profile ] && [[ "$(<~/.profile)" == *.bashrc* ]]; }; then
  . ~/.bashrc
fi
`;

const privateFolder = 0o700;

/** The first stage of the pipeline: what a home needs before anything else. Touches nothing that is there. */
export function ensureHome(path: string): StageReport {
  const startedMs = Date.now();
  const started = performance.now();
  const report = (state: StageReport['state'], detail?: string): StageReport => ({
    name: 'home',
    state,
    startedMs,
    durationMs: performance.now() - started,
    ...(detail === undefined ? {} : { detail }),
  });
  try {
    const home = HomeDirectory.open(path);
    try {
      fillHome(home);
    } finally {
      home.close();
    }
    return report('ok');
  } catch (error) {
    const failure = error instanceof SpoonError ? error : toHomeError(error, 'the home');
    return report('failed', failure.message);
  }
}

function fillHome(home: HomeDirectory): void {
  home.folder('Code', () => {});
  home.folder('.spoon', () => {});
  closeToOthers(home);
  if (['.bash_profile', '.bash_login'].every((name) => look(home.root, name).kind === 'missing')) {
    writeFile(home.root, '.bash_profile', Buffer.from(bashProfile), defaultFileMode);
  }
}

/** `.spoon` holds backups of private files. */
function closeToOthers(home: HomeDirectory): void {
  if (!lstatSync(home.root.entry('.spoon')).isDirectory()) return;
  const fd = openSync(home.root.entry('.spoon'), walkFlags);
  try {
    if ((fstatSync(fd).mode & 0o777) !== privateFolder) chmodSync(`/proc/self/fd/${fd}`, privateFolder);
  } finally {
    closeSync(fd);
  }
}
