import { createHash } from 'node:crypto';
import type { BoxSpec } from './engine.ts';

/** Raised when a box of an older service would lack a mount or a limit that this one relies on. */
const layoutVersion = 2;

/**
 * Names everything that a running box was made from but its image (see `outdated.ts`): bundle of boxd, limits, places,
 * user. A box with another hash than the wanted one is replaced when nothing holds it.
 */
export function specHash({ image: _, ...spec }: BoxSpec): string {
  const sorted = Object.entries(spec).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([layoutVersion, sorted]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Where a scratch box sees the home that it is made from, while it is copied or compared. */
export const copiedHomeAt = '/mnt/home';

/** Who a box is inside. */
export function loginOf({ username, login = username }: Pick<BoxSpec, 'username' | 'login'>): string {
  return login;
}

/** boxd and its Node as a box sees them; the limit on old space keeps an idle boxd near 15 MiB of its own (terminal-route A2). */
export const boxdCommand = ['/opt/spoon/bin/node', '--max-old-space-size=64', '/opt/spoon/boxd.js'] as const;

/** boxd's own environment, and nothing secret in it: the user can read it (decision 2). */
export function boxdEnvironment(
  spec: Pick<BoxSpec, 'username' | 'login' | 'shell'>,
  places: { home: string; socket: string } = { home: `/home/${loginOf(spec)}`, socket: '/run/spoon/svc.sock' },
): Record<string, string> {
  const [username, { shell }] = [loginOf(spec), spec];
  return {
    HOME: places.home,
    USER: username,
    LOGNAME: username,
    SHELL: shell,
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
    LANG: 'C.UTF-8',
    SPOON: '1',
    SPOON_HOME: places.home,
    SPOON_SOCKET: places.socket,
  };
}
