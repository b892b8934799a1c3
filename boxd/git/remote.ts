import { SpoonError } from '../../protocol/errors.ts';
import { gitError } from './gitErrors.ts';
import type { Git, GitCall } from './runGit.ts';

const maxBranches = 5000;
const branchPrefix = 'refs/heads/';

export interface RemoteBranches {
  /** Where it was found: the address given, or that with `.git`. */
  readonly url: string;
  readonly defaultBranch: string | null;
  readonly branches: string[];
  readonly truncated: boolean;
}

export type Limits = Pick<GitCall, 'timeoutMs' | 'signal'> & { readonly cwd: string };

/**
 * Asks the server of a repository, with one retry at `URL.git` where it answers that it has moved (decision 13).
 * @param only one branch, or all of them
 * @throws SpoonError `repository-…`, `git-…`
 */
export async function askRemote(
  git: Git,
  url: string,
  only: string | undefined,
  limits: Limits,
): Promise<RemoteBranches> {
  try {
    return await ask(git, url, only, limits);
  } catch (error) {
    if (!(error instanceof SpoonError) || error.code !== 'repository-moved') throw error;
    const withSuffix = `${url}.git`;
    if (!url.endsWith('.git')) {
      const found = await ask(git, withSuffix, only, limits).catch(() => undefined);
      if (found !== undefined) return found;
    }
    const target = await whereTo(git, url, limits);
    throw target === undefined ? error : new SpoonError('repository-moved', `It is now at ${target}.`);
  }
}

async function ask(git: Git, url: string, only: string | undefined, limits: Limits): Promise<RemoteBranches> {
  const branches: string[] = [];
  let defaultBranch: string | null = null;
  let rest = '';
  const patterns = ['HEAD', only === undefined ? `${branchPrefix}*` : `${branchPrefix}${only}`];
  const { code, stderr } = await git.run({
    ...limits,
    trust: 'guarded',
    args: ['ls-remote', '--symref', '--', url, ...patterns],
    onOutput: (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const symref = /^ref: refs\/heads\/(\S+)\tHEAD$/.exec(line);
        if (symref?.[1] !== undefined) defaultBranch = symref[1];
        const name = line.slice(line.indexOf('\t') + 1);
        if (symref === null && name.startsWith(branchPrefix)) branches.push(name.slice(branchPrefix.length));
      }
      return branches.length <= maxBranches && rest.length < 8192;
    },
  });
  if (code !== 0 && code !== null) throw gitError(stderr);
  const truncated = branches.length > maxBranches || code === null;
  return { url, defaultBranch, branches: branches.slice(0, maxBranches), truncated };
}

/** The address that a server redirects to. It is named to a person and never asked for. */
async function whereTo(git: Git, url: string, limits: Limits): Promise<string | undefined> {
  const { stderr } = await git.run({
    ...limits,
    trust: 'guarded',
    args: ['ls-remote', '--', url, 'HEAD'],
    environment: { GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1' },
  });
  const location = /Recv header: location: (\S{1,2048})/i.exec(stderr)?.[1];
  if (location === undefined || !URL.canParse(location, url)) return undefined;
  const { protocol, host, pathname } = new URL(location, url);
  return `${protocol}//${host}${pathname.replace(/\/info\/refs$/, '')}`.slice(0, 300);
}
