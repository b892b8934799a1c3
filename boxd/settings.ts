/** What the engine tells boxd through its environment; the rest of that environment is not looked at. */
export interface Settings {
  /** The service's socket, in a directory that is mounted read-only. */
  readonly socketPath: string;
  readonly home: string;
  readonly user: string;
  /** The user's login shell, for what is started without one being named. */
  readonly shell: string;
  /** Variables of the image that a login keeps: where programs are, language, time zone. */
  readonly inherited: Readonly<Record<string, string>>;
}

const inheritedNames = ['PATH', 'LANG', 'LANGUAGE', 'LC_ALL', 'TZ'];

/** @throws Error without a usable HOME: an engine that starts boxd like that has a bug */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const home = environment.HOME;
  if (home === undefined || !home.startsWith('/') || home === '/') throw new Error(`boxd needs HOME, not ${home}`);
  const inherited: Record<string, string> = {};
  for (const name of inheritedNames) {
    const value = environment[name];
    if (value !== undefined && value !== '') inherited[name] = value;
  }
  return {
    socketPath: environment.SPOON_SOCKET ?? '/run/spoon/svc.sock',
    home: home.replace(/\/+$/, ''),
    user: environment.USER ?? environment.LOGNAME ?? 'user',
    shell: environment.SHELL ?? '/bin/bash',
    inherited,
  };
}
