// `npm run check`: format and lint, types, import boundaries, dead code. All at once, one line each, under 15 s.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkBoundaries } from './check/boundaries.ts';
import { runCommand } from './runCommand.ts';

const root = dirname(import.meta.dirname);

interface Check {
  readonly name: string;
  /** What is wrong, ready to print; empty when nothing is. */
  run(): Promise<string>;
}

function tool(name: string, program: string, args: readonly string[]): Check {
  return {
    name,
    async run() {
      const { code, stdout, stderr } = await runCommand(join(root, 'node_modules', '.bin', program), args, {
        cwd: root,
      });
      return code === 0 ? '' : `${stdout}${stderr}`.trim() || `${program} ended with ${code ?? 'a signal'}`;
    },
  };
}

/** The root's project, and one for each folder that may see less of the platform than Node has. */
function typeProjects(): string[] {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => entry.name);
  return ['.', ...folders, 'extension/node', 'service/adminPage', 'test/vscode'].filter((folder) =>
    existsSync(join(root, folder, 'tsconfig.json')),
  );
}

const checks: Check[] = [
  tool('biome', 'biome', ['ci', '--colors=off', '--reporter=summary', '.']),
  ...typeProjects().map((project) =>
    // What was found last time is kept in dist: 20 s of one core cold, 2 s afterwards.
    tool(`types ${project === '.' ? '' : project}`.trim(), 'tsc', [
      ...['--noEmit', '--pretty', 'false', '-p', project],
      ...[
        '--incremental',
        '--tsBuildInfoFile',
        join(root, 'dist', 'types', `${project.replace('/', '-')}.tsbuildinfo`),
      ],
    ]),
  ),
  { name: 'boundaries', run: async () => (await checkBoundaries(root)).join('\n') },
  tool('dead code', 'knip', ['--no-progress', '--no-config-hints']),
];

const failed: string[] = [];
await Promise.all(
  checks.map(async ({ name, run }) => {
    const startedMs = performance.now();
    const problems = await run();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(`${problems === '' ? '✔' : '✘'} ${name.padEnd(18)} ${seconds} s`);
    if (problems !== '') {
      failed.push(name);
      console.log(problems.replaceAll(/^/gm, '    '));
    }
  }),
);
if (failed.length > 0) {
  console.log(`\nTo be put right: ${failed.join(', ')}. \`npm run fix\` does what biome can do by itself.`);
  process.exitCode = 1;
}
