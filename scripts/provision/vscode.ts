import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { mustRun } from '../runCommand.ts';
import { cacheFolder } from './cacheFolder.ts';

/**
 * A real VS Code without a download from Microsoft: code-server's npm package holds VS Code's own server, which serves the
 * workbench to a browser and runs the same extension host as on a desktop. Kept outside the repository, made once.
 * Needs `npm` and `tar`; no compiler, no install scripts, no root (root only to bring chromium along).
 */

const codeServer = {
  /** 4.139.1 holds VS Code 1.139.1. */
  version: '4.139.1',
  integrity: 'sha512-fUYvJVdz4ZoVJfakGiGWXFMpF8K1ObsrpGvX17ZxNpKOzdNHs7lANT670JTr4ZhA8DnWqyvvmFG/d3HV9Yy6ew==',
  /** Raise when what is done to the package below changes. */
  revision: 1,
} as const;

export interface VscodeServer {
  /** Absolute path of `server-main.js`. */
  readonly main: string;
  /** Node 24, which that file needs: on Node 20 it lacks `module.registerHooks`. */
  readonly node: string;
}

/** Extensions that the tests do not use; without them the install is a fifth smaller and the server quieter. */
const unusedExtensions = [
  'copilot',
  'mermaid-markdown-features',
  'github',
  'github-authentication',
  'microsoft-authentication',
  'ms-vscode.js-debug',
  'ms-vscode.js-debug-companion',
  'ms-vscode.vscode-js-profile-table',
  'tunnel-forwarding',
  'terminal-suggest',
  'ipynb',
  'notebook-renderers',
  'npm',
  'gulp',
  'grunt',
  'jake',
  'emmet',
  'simple-browser',
  'typescript-language-features',
  'php-language-features',
  'debug-auto-launch',
  'debug-server-ready',
];

/** Stands in for `@vscode/spdlog`, a native module that only writes log files: same exports, plain appends. */
const spdlogStandIn = `
const fs = require('fs'), path = require('path');
const names = ['trace', 'debug', 'info', 'warn', 'error', 'critical', 'off'];
class Logger {
  constructor(type, name, file) {
    this.level = 2; this.raw = false;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.fd = fs.openSync(file, 'a');
  }
  write(level, text) {
    if (level < this.level || this.fd === undefined) return;
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    fs.writeSync(this.fd, this.raw ? String(text) : time + ' [' + names[level] + '] ' + text + '\\n');
  }
  trace(text) { this.write(0, text); } debug(text) { this.write(1, text); } info(text) { this.write(2, text); }
  warn(text) { this.write(3, text); } error(text) { this.write(4, text); } critical(text) { this.write(5, text); }
  getLevel() { return this.level; } setLevel(level) { this.level = level; }
  setPattern() { this.raw = false; } clearFormatters() { this.raw = true; }
  flush() {} drop() { if (this.fd !== undefined) { fs.closeSync(this.fd); this.fd = undefined; } }
}
exports.version = 11;
exports.setLevel = exports.setFlushOn = exports.shutdown = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = async (name, file) => new Logger('rotating', name, file);
exports.createAsyncRotatingLogger = async (name, file) => new Logger('rotating_async', name, file);
`;

/** @param say tells a person what takes the time; called only when something has to be made */
export async function provisionVscode(say: (text: string) => void = () => {}): Promise<VscodeServer> {
  const root = join(cacheFolder(), `vscode-server-${codeServer.version}-r${codeServer.revision}`);
  const server = { main: join(root, 'lib/vscode/out/server-main.js'), node: process.execPath };
  if (existsSync(join(root, '.complete'))) return server;
  say('Bringing a VS Code server from npm (once; 300 MB on disk)…');
  await mkdir(cacheFolder(), { recursive: true });
  const temporary = await mkdtemp(join(cacheFolder(), 'vscode-server-'));
  try {
    await unpack(temporary);
    await trim(join(temporary, 'lib/vscode'));
    await writeFile(join(temporary, '.complete'), '');
    await rename(temporary, root).catch((error: NodeJS.ErrnoException) => {
      // Another run was quicker; its copy is as good.
      if (!existsSync(join(root, '.complete'))) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return server;
}

async function unpack(folder: string): Promise<void> {
  const pack = ['pack', '--silent', '--json', `code-server@${codeServer.version}`];
  const { filename, integrity } = readPackResult((await mustRun('npm', pack, { cwd: folder })).stdout);
  if (integrity !== codeServer.integrity) {
    throw new Error(`npm gave another code-server ${codeServer.version} than expected: ${integrity}`);
  }
  await mustRun('tar', ['xzf', filename, '--strip-components=1'], { cwd: folder });
  await rm(join(folder, filename));
  // `install`, not `ci`: the shipped shrinkwrap is out of step with its package.json (npm ci: EUSAGE, Missing: tslib).
  const install = ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await mustRun('npm', install, { cwd: join(folder, 'lib/vscode') });
}

function readPackResult(text: string): { filename: string; integrity: string } {
  const results: unknown = JSON.parse(text);
  const first: unknown = Array.isArray(results) ? results[0] : undefined;
  if (
    typeof first !== 'object' ||
    first === null ||
    !('filename' in first && typeof first.filename === 'string') ||
    !('integrity' in first && typeof first.integrity === 'string')
  ) {
    throw new Error(`npm pack said something unexpected: ${text.slice(0, 200)}`);
  }
  return { filename: first.filename, integrity: first.integrity };
}

async function trim(vscode: string): Promise<void> {
  const folders = [
    'node_modules/@github/copilot-sdk-linux-x64',
    'node_modules/@github/copilot-sdk-linux-arm64',
    'node_modules/@microsoft/mxc-sdk',
    ...unusedExtensions.map((name) => `extensions/${name}`),
  ];
  for (const folder of folders) await rm(join(vscode, folder), { recursive: true, force: true });
  // Two native modules that are not built here and are not needed: without them the server only prints stack traces.
  await writeFile(join(vscode, 'node_modules/@vscode/native-watchdog/index.js'), 'exports.start = () => {};\n');
  await writeFile(join(vscode, 'node_modules/@vscode/spdlog/index.js'), spdlogStandIn);
}

/**
 * The browser that shows VS Code. @returns the absolute path of chromium or Chrome
 * @throws Error saying what to install where it may not be installed
 */
export async function provisionChromium(say: (text: string) => void = () => {}): Promise<string> {
  const found = findChromium();
  if (found !== undefined) return found;
  const advice = 'Install it (on Debian: apt-get install chromium) or name it in CHROMIUM.';
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) throw new Error(`No chromium was found. ${advice}`);
  say('Installing chromium from Debian…');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', 'chromium-headless-shell', 'fonts-dejavu-core'];
  await mustRun('apt-get', install, { env }).catch(async () => {
    // Fails when the lists were never fetched or name versions that are gone.
    await mustRun('apt-get', ['update'], { env });
    await mustRun('apt-get', install, { env });
  });
  const installed = findChromium();
  if (installed === undefined) throw new Error(`chromium was installed but is not on the PATH. ${advice}`);
  return installed;
}

function findChromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  // The first draws without a compositor for windows, which is an eighth of what a test costs.
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
  return names.map(isOnPath).find((path) => path !== undefined);
}

function isOnPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
