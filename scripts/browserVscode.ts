import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageExtension } from './buildExtension.ts';
import { provisionVscode } from './provision/vscode.ts';
import { installExtension, quietSettings, startVscodeServer } from './vscodeServer.ts';

/** VS Code in a browser with the extension in it, signed in: for `npm run up -- --browser`. */

export interface BrowserVscodeOptions {
  /** The service, and who is signed in there. */
  readonly url: string;
  readonly token: string;
  readonly username: string;
  /** What VS Code opens; an empty one of its own by default. */
  readonly folder?: string;
  readonly say?: (text: string) => void;
}

export interface BrowserVscode {
  /** Whoever has this address has a shell on this machine, as the user who started it. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws Error saying what is missing */
export async function startBrowserVscode(options: BrowserVscodeOptions): Promise<BrowserVscode> {
  const { url, token, username, say = () => {} } = options;
  await using resources = new AsyncDisposableStack();
  const server = await provisionVscode(say);
  const base = await mkdtemp(join(tmpdir(), 'spoon-vscode-'));
  resources.defer(() => rm(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  const dataFolder = join(base, 'server');
  const extensionsFolder = join(base, 'extensions');
  const vsix = await packageExtension(join(base, 'spoon.vsix'));
  await installExtension(server, { vsix, extensionsFolder, dataFolder });
  const folder = options.folder ?? join(base, `welcome-${username}`);
  await mkdir(folder, { recursive: true });
  // In a file that only this user can read: the environment of a process can be read by more.
  const signInFile = join(base, 'sign-in.json');
  await writeFile(signInFile, JSON.stringify({ url, token }), { mode: 0o600 });
  const running = resources.use(
    await startVscodeServer({
      server,
      dataFolder,
      extensionsFolder,
      settings: { ...quietSettings, 'workbench.colorTheme': 'Default Dark Modern' },
      environment: { SPOON_SIGN_IN_FILE: signInFile },
    }),
  );
  const owned = resources.move();
  return { url: running.address({ folder }), stop: () => owned.disposeAsync() };
}
