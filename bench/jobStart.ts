import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import Docker from 'dockerode';
import type { Job } from '../protocol/jobs.ts';
import { boxGitHost, makeBoxCertificate, serveInBox } from '../test/fixtures/boxGitServer.fixture.ts';
import { followJob } from '../test/fixtures/jobViewer.fixture.ts';
import { RunningService } from '../test/runningService.ts';
import { compare, type Row } from './ratio.ts';

const word = 'first-word';
const folder = 'Code/api/main';

/** A job from the request to its first output at a viewer, in a box that runs: queue, checkout, look at it, start, log. ms */
export async function jobStart(): Promise<Row> {
  await using certificate = await makeBoxCertificate();
  await using service = await RunningService.start({
    engine: 'docker',
    environment: {
      SPOON_GIT_HOSTS: boxGitHost,
      SPOON_CA_FILE: certificate.caFile,
      SPOON_AGENT_COMMAND: `sh -c "echo ${word}; {prompt}"`,
    },
  });
  const user = await service.addUser('Bench');
  const url = await serveInBox(service, user, certificate);
  const made = await service.spoonctl(user, ['threads', 'new', 'api', 'main', '--url', url]);
  assert.equal(made.code, 0, made.stderr);
  const dockerHost = process.env.SPOON_TEST_DOCKER_HOST ?? '';
  const docker = new Docker({ socketPath: dockerHost.replace('unix://', '') });
  const container = await containerOf(docker, service);
  return await compare({
    name: 'job start in a running box, to its first output',
    reference: 'docker exec -t of the same command in the same folder',
    goal: 1.2,
    better: 'lower',
    unit: 'ms',
    pairs: 15,
    measureSpoon: async () => {
      const start = performance.now();
      const asked = await service.fetch(user, '/v1/jobs', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ thread: 'api/main', prompt: 'true' }),
      });
      const { id } = (await asked.json()) as Job;
      const viewer = followJob({ url: service.url, token: user.token }, id);
      await viewer.saw(word);
      const took = performance.now() - start;
      await viewer.ended;
      return took;
    },
    measureReference: async () => {
      const start = performance.now();
      const command = [
        'exec',
        '-t',
        '-w',
        `/home/${user.username}/${folder}`,
        container,
        'sh',
        '-c',
        `echo ${word}; true`,
      ];
      const child = spawn('docker', ['-H', dockerHost, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(child, 'exit');
      await once(child.stdout, 'data');
      const took = performance.now() - start;
      await exited;
      return took;
    },
  });
}

async function containerOf(docker: Docker, service: RunningService): Promise<string> {
  const running = await docker.listContainers();
  const mine = running.filter((one) => one.Mounts.some((mount) => mount.Source.startsWith(service.workdir)));
  assert.equal(mine.length, 1);
  return mine[0]?.Id ?? '';
}
