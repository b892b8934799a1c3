import { join } from 'node:path';
import type { BoxesOptions } from './boxesOptions.ts';
import type { BoxSpec } from './engine.ts';
import type { BoxUser } from './runningBox.ts';

/** What the box of a user is made from. */
export function specOf(
  options: Pick<BoxesOptions, 'places' | 'settings' | 'limitsOf'>,
  { userId, username, uid, shell }: BoxUser,
): BoxSpec {
  const { places, settings } = options;
  const etc = join(places.etcDir, username);
  return {
    userId,
    username,
    ...ownerOf(settings, uid),
    shell,
    homePath: join(places.homesDir, username),
    socketDir: join(places.runDir, username),
    boxdDir: places.boxdDir,
    systemFiles: { passwd: join(etc, 'passwd'), group: join(etc, 'group'), gitconfig: join(etc, 'gitconfig') },
    image: settings.image,
    ...limitsFor(options, userId),
  };
}

export function limitsFor(
  { settings, limitsOf }: Pick<BoxesOptions, 'settings' | 'limitsOf'>,
  userId: string,
): Pick<BoxSpec, 'memoryBytes' | 'cpus' | 'maxProcesses'> {
  const { memoryBytes, cpus, maxProcesses } = settings;
  return limitsOf?.(userId) ?? { memoryBytes, cpus, maxProcesses };
}

export function ownerOf({ separatesUsers }: BoxesOptions['settings'], uid: number): { uid: number; gid: number } {
  if (separatesUsers) return { uid, gid: uid };
  return { uid: process.getuid?.() ?? uid, gid: process.getgid?.() ?? uid };
}
