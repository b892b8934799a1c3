import type { Settings } from '../settings.ts';

/** Of Debian's and Fedora's /etc/profile, for shells that do not read that file. */
const defaultPath = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

interface Wanted {
  readonly shell: string;
  /** Asked for by the service, such as a thread's secrets; wins over everything but the names of this very process. */
  readonly extra: Readonly<Record<string, string>>;
  readonly marker: Readonly<Record<string, string>>;
}

/** What login(1) would give, and nothing of boxd's own environment. */
export function loginEnvironment(settings: Settings, { shell, extra, marker }: Wanted): Record<string, string> {
  return {
    PATH: defaultPath,
    LANG: 'C.UTF-8',
    ...settings.inherited,
    HOME: settings.home,
    USER: settings.user,
    LOGNAME: settings.user,
    SHELL: shell,
    SPOON: '1',
    SPOON_HOME: settings.home,
    ...extra,
    ...marker,
  };
}

/** For a shell on a terminal: what the viewers can show, and that they may be VS Code's (the image's spoon.sh marks prompts then). */
export const terminalVariables = {
  TERM: 'xterm-256color',
  COLORTERM: 'truecolor',
  SPOON_SHELL_INTEGRATION: '1',
} as const;
