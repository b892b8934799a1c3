import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LocalContainer, LocalDocker, LocalDockerQuestion } from '../platform.ts';

const run = promisify(execFile);

/**
 * Asks the `docker` command and not a socket: it is what Dev Containers works with, and it alone knows contexts, DOCKER_HOST,
 * Docker Desktop and rootless Docker as that does.
 */
export const nodeDocker: LocalDocker = {
  async find({ containerId, program, timeoutMs }: LocalDockerQuestion): Promise<LocalContainer> {
    const options = { signal: AbortSignal.timeout(timeoutMs), killSignal: 'SIGKILL', windowsHide: true } as const;
    const context = run(program, ['context', 'show'], options).then(
      ({ stdout }) => stdout.trim(),
      // Podman's docker command has no contexts.
      () => '',
    );
    try {
      const { stdout } = await run(program, ['container', 'inspect', '--format', '{{.Name}}', containerId], options);
      // Docker says `/name`, podman `name`.
      const name = stdout.trim().replace(/^\//, '');
      if (!/^[\w.-]+$/.test(name)) return { found: 'no-answer' };
      const used = await context;
      return { found: 'here', name, ...(used === '' || used === 'default' ? {} : { context: used }) };
    } catch (error) {
      if (!(error instanceof Error)) return { found: 'no-answer' };
      if ('code' in error && error.code === 'ENOENT') return { found: 'no-program' };
      const isMissing = 'stderr' in error && /no such (container|object)/i.test(String(error.stderr));
      return { found: isMissing ? 'elsewhere' : 'no-answer' };
    }
  },
};
