import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { Command, CommanderError } from 'commander';
import { addBackup } from './backup.ts';
import { addBox } from './box.ts';
import { addBoxes } from './boxes.ts';
import { trustOwnAuthorities } from './certificates.ts';
import { CommandLine, type JsonOption } from './commandLine.ts';
import { addCompletion } from './completion.ts';
import { addDoctor } from './doctor/addDoctor.ts';
import { addDotfiles } from './dotfiles/addDotfiles.ts';
import { addExec } from './exec.ts';
import { exitCodes } from './exitCodes.ts';
import { addHome } from './home.ts';
import { addJobs } from './jobs/addJobs.ts';
import { addLogin } from './login.ts';
import { addAdmin } from './network.ts';
import { addUsage } from './quotas.ts';
import { addSecrets } from './secrets.ts';
import { addService } from './service.ts';
import { addSharedTerminals } from './sharedTerminals.ts';
import { addSpoons } from './spoons.ts';
import { addStatus } from './status.ts';
import { addTerminal } from './terminal.ts';
import { addThreads } from './threads.ts';
import { addTokens } from './tokens.ts';
import { addUsers } from './users.ts';

// Composition root of spoonctl: parses, runs one command, sets the exit code. It must never take a token from the command
// line, where every user of the machine can read it, nor print text of the service that could act on a terminal.

/** sysexits.h, EX_SOFTWARE: a bug of ours. */
const bugExitCode = 70;
/** As a shell sees a program that a closed pipe ended. */
const brokenPipeExitCode = 141;

const { env, stdin, stdout, stderr } = process;
const line = new CommandLine({ env, stdin, stdout, stderr, homeDir: env.HOME || homedir() });
let options: JsonOption = {};

for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Nobody reads any more (`| head`, a closed terminal): there is no one to tell.
    process.exit(error.code === 'EPIPE' ? brokenPipeExitCode : exitCodes.refused);
  });
}

const program = new Command('spoonctl')
  .description('Your dotfiles, your box and its terminals, from a shell.')
  .version(versionOfPackage())
  .enablePositionalOptions()
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, 'spoonctl: ')),
  })
  .addHelpText('after', '\nSPOON_URL and SPOON_TOKEN name the service and sign in, instead of spoonctl login.');
program.hook('preAction', (_, action) => {
  options = action.opts<JsonOption>();
  // Authorities that cannot be read are one of the things that the doctor is asked about.
  if (action.name() !== 'doctor') trustOwnAuthorities(env);
});
for (const add of [
  addLogin,
  addStatus,
  addDoctor,
  addTerminal,
  addSharedTerminals,
  addExec,
  addThreads,
  addSpoons,
  addJobs,
  addDotfiles,
  addSecrets,
  addBox,
  addHome,
  addTokens,
  addUsers,
  addUsage,
  addBoxes,
  addAdmin,
  addBackup,
  addService,
]) {
  add(program, line);
}
addCompletion(program, line);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) line.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else failWith(error);
}
// Stdin may still be open (a pipe that nobody closes); the command is over all the same.
for (const stream of [stdout, stderr]) await new Promise((done) => stream.write('', done));
process.exit(line.exitCode);

function failWith(error: unknown): void {
  try {
    line.fail(error, options);
  } catch (bug) {
    line.exitCode = bugExitCode;
    const { message, stack } = bug as Error;
    line.note(
      env.SPOON_DEBUG ? String(stack) : `A mistake in spoonctl itself (${message}). SPOON_DEBUG=1 shows where.`,
    );
  }
}

function versionOfPackage(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
