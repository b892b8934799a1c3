import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/** The Mocha suite as one CommonJS file, which any VS Code's extension host can load. @returns its absolute path */
export async function bundleSuite(): Promise<string> {
  const outfile = join(root, 'dist/test/suite.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/vscode/suite/run.ts'],
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    external: ['vscode', 'mocha'],
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  return outfile;
}
