import { readFileSync } from 'node:fs';
import { SpoonError } from '../protocol/errors.ts';
import { readConfig } from './config.ts';
import { exitCodeOf } from './exitCodes.ts';
import { closeInheritedFiles } from './inheritedFiles.ts';
import { createLogger } from './logger.ts';
import { startService } from './service.ts';

/**
 * The service as a process: settings in, one line `ready` out, signals to a graceful stop, errors of the start to words on
 * stderr and an exit code. What the service is made of is in `service.ts`.
 */

const log = createLogger();
const bySignal = { SIGINT: 130, SIGTERM: 143 } as const;

try {
  closeInheritedFiles();
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const config = readConfig(process.env, process.cwd());
  for (const text of config.warnings) log.warn('config.warning', { text });
  const service = await startService(config, { log, version });
  // Before anybody is told that it is ready: the first signal may follow at once.
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Asked twice: at once. What is acknowledged is durable, and boxes run on either way.
      if (stopping) process.exit(bySignal[signal]);
      stopping = true;
      log.info('stopping');
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.failure('stop', error);
          process.exit(exitCodeOf(error));
        },
      );
    });
  }

  // Without a certificate there is nothing to read again, and the signal ends the process as it does any other.
  if (config.tls !== undefined) {
    process.on('SIGHUP', () => {
      service.reload().catch((error: unknown) => log.failure('reload', error));
    });
  }

  const ready = { url: service.url, engine: service.engine, pid: process.pid, instanceId: service.instanceId };
  log.info('ready', ready);
  process.send?.({ event: 'ready', ...ready });
} catch (error) {
  log.failure('start', error);
  const words =
    error instanceof SpoonError ? error.message : 'A mistake in Spoon itself. Its log above has the details.';
  process.stderr.write(`spoon: ${words}\n`);
  process.exit(exitCodeOf(error));
}
