import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, context, type Plugin } from 'esbuild';
import { mustRun } from './runCommand.ts';

/**
 * The extension as a file, beside it the cipher that few windows load, and as a package:
 * `node scripts/buildExtension.ts [--watch | --package]`.
 * Never needs the network.
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const maxVsixBytes = 1024 * 1024;

const cipher = 'libsodium-wrappers';
const cipherFile = 'libsodium.cjs';

/** Half a megabyte that VS Code would read at every start, for what few do now and then: loaded when it is called for. */
const cipherApart: Plugin = {
  name: 'cipher-apart',
  setup(builder) {
    builder.onResolve({ filter: new RegExp(`^${cipher}$`) }, () => ({ path: `./${cipherFile}`, external: true }));
  },
};

function extensionOptions(development: boolean): BuildOptions {
  return {
    ...commonOptions(development),
    // The Node build; what only Node has stands in extension/node and is handed in from there.
    entryPoints: ['extension/node/main.ts'],
    outfile: 'dist/extension.cjs',
    plugins: [cipherApart],
    // As `require`, which every extension host has, and which takes a CommonJS file for what it exports.
    supported: { 'dynamic-import': false },
  };
}

function cipherOptions(): BuildOptions {
  return {
    ...commonOptions(false),
    stdin: { contents: `export { default } from '${cipher}';`, resolveDir: root },
    outfile: `dist/${cipherFile}`,
    // A `require` takes what is exported for the default.
    footer: { js: 'module.exports = module.exports.default;' },
  };
}

function commonOptions(development: boolean): BuildOptions {
  return {
    absWorkingDir: root,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    // VS Code 1.105, the oldest that `engines` allows, runs extensions on Node 22.
    target: 'node22',
    external: ['vscode'],
    // ws looks for these native helpers; a bundle cannot carry them and the plain versions do.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    minify: !development,
    // Stack traces of a minified file say nothing; names cost little.
    keepNames: true,
    sourcemap: development ? 'linked' : false,
    legalComments: 'none',
    logLevel: 'warning',
  };
}

/** Several tests may build at once: what is there and right is left alone, and nobody ever reads half a file. */
export async function buildExtension({ development = false } = {}): Promise<void> {
  const builds = [extensionOptions(development), cipherOptions()];
  const built = await Promise.all(builds.map((options) => build({ ...options, write: false as const })));
  for (const { path, contents } of built.flatMap(({ outputFiles }) => outputFiles)) {
    if (existsSync(path) && Buffer.compare(await readFile(path), contents) === 0) continue;
    const temporary = `${path}.${process.pid}`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, contents);
    await rename(temporary, path);
  }
}

/** Builds and packages; `.vscodeignore` names what goes in. @returns the absolute path of the .vsix @throws Error when it is larger than it may be */
export async function packageExtension(file = join(root, 'dist/spoon.vsix')): Promise<string> {
  await buildExtension();
  await mkdir(dirname(file), { recursive: true });
  const paths = ['--readme-path', 'media/README.md', '--out', file];
  await vsce('package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', ...paths);
  const { size } = await stat(file);
  if (size > maxVsixBytes) throw new Error(`${file} has ${size} bytes, more than ${maxVsixBytes}.`);
  return file;
}

/** Builds for a debugger now and after every change, until the process ends. */
export async function watchExtension(): Promise<void> {
  await build(cipherOptions());
  await (await context(extensionOptions(true))).watch();
}

async function vsce(...args: string[]): Promise<string> {
  return (await mustRun(process.execPath, [join(root, 'node_modules/.bin/vsce'), ...args], { cwd: root })).stdout;
}

if (import.meta.filename === process.argv[1]) {
  if (process.argv.includes('--watch')) {
    await watchExtension();
    console.log('Watching; dist/extension.cjs follows every change.');
  } else if (process.argv.includes('--package')) {
    const file = await packageExtension();
    console.log(`${relative(process.cwd(), file)}: ${((await stat(file)).size / 1024).toFixed(0)} KiB`);
  } else {
    await buildExtension({ development: process.argv.includes('--development') });
  }
}
