import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boxdParkedConnections } from '../protocol/limits.ts';
import { commandRoutes, commandUpgrade } from './commands/commandRoutes.ts';
import { Commands } from './commands/commands.ts';
import { fileRoutes, fileWatchUpgrade } from './files/fileRoutes.ts';
import { Files } from './files/files.ts';
import { layCaBundle } from './git/caBundle.ts';
import { Checkouts } from './git/checkouts.ts';
import { gitRoutes } from './git/gitRoutes.ts';
import { Operations } from './git/operations.ts';
import { Git } from './git/runGit.ts';
import { homeRoutes } from './home/homeRoutes.ts';
import { ensureHome } from './home/homeStage.ts';
import { ParkedConnections } from './http/parkedConnections.ts';
import { createBoxdServer } from './http/server.ts';
import { jobRoutes } from './jobs/jobRoutes.ts';
import { Jobs } from './jobs/jobs.ts';
import { DriftWatcher } from './overlay/driftWatcher.ts';
import { Overlay } from './overlay/overlay.ts';
import { overlayRoutes } from './overlay/overlayRoutes.ts';
import { countFromOutside } from './processes/processTable.ts';
import { SecretFiles } from './processes/secretFiles.ts';
import { repositoryRoutes } from './repository/repositoryRoutes.ts';
import { RepositoryRuns } from './repository/repositoryRuns.ts';
import { readSettings } from './settings.ts';
import { statRoute } from './statRoute.ts';
import { terminalRoutes, terminalUpgrade } from './terminals/terminalRoutes.ts';
import { Terminals } from './terminals/terminals.ts';

// The composition root: everything that a box's daemon is made of, in the order in which it starts and stops.

const log = (line: string) => process.stderr.write(`boxd: ${line.slice(0, 4096)}\n`);

const settings = readSettings(process.env);
const homeStage = ensureHome(settings.home);
if (homeStage.state === 'failed') log(`the home is not as it should be: ${homeStage.detail}`);

try {
  layCaBundle(settings);
} catch (error) {
  log(`the certificate authorities cannot be laid: ${error}`);
}

const terminals = new Terminals(settings);
const commands = new Commands(settings);
const secretFiles = new SecretFiles();
const operations = new Operations();
const git = new Git(settings, () => layCaBundle(settings), secretFiles);
const checkouts = new Checkouts(git, settings.home);
const repository = new RepositoryRuns(settings, git, (problem) => log(`a repository run failed: ${problem}`));
const jobs = new Jobs(settings, git, (problem) => log(`a job did not end well: ${problem}`));
const overlay = new Overlay(settings.home);
const drift = new DriftWatcher(settings.home, overlay, { log });

const server = createBoxdServer({
  routes: [
    statRoute(dirname(fileURLToPath(import.meta.url))),
    ...overlayRoutes(overlay, drift, settings.home),
    ...terminalRoutes(terminals, {
      secretFiles,
      countFromOutside: () => countFromOutside(`SPOON_SOCKET=${settings.socketPath}`),
      runningJobs: () => jobs.running,
      countCommands: () => commands.runningCount + operations.runningCount + repository.runningCount,
    }),
    ...commandRoutes(commands, secretFiles),
    ...fileRoutes(new Files(settings.home)),
    ...gitRoutes(checkouts, operations),
    ...homeRoutes(settings.home),
    ...repositoryRoutes(repository, secretFiles),
    ...jobRoutes(jobs, secretFiles),
  ],
  upgrades: [terminalUpgrade(terminals), commandUpgrade(commands), fileWatchUpgrade(settings.home)],
  onUsed: (socket) => connections.used(socket),
  log,
});
const connections = new ParkedConnections({
  socketPath: settings.socketPath,
  count: boxdParkedConnections,
  onConnection: (socket) => server.emit('connection', socket),
});
connections.start();

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  connections.close();
  drift.close();
  await Promise.all([terminals.close(), commands.close(), operations.close(), repository.close(), jobs.close()]);
  secretFiles.close();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stop().catch((error) => {
      log(`stopping failed: ${error}`);
      process.exit(1);
    });
  });
}
