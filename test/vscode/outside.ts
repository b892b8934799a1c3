import assert from 'node:assert/strict';
import Docker from 'dockerode';
import type { RunningService } from '../runningService.ts';

/** What happens to a box behind the service's back. */
export async function removeBoxFromOutside(service: RunningService, username: string): Promise<void> {
  assert.equal(service.engine, 'docker');
  const docker = new Docker({ socketPath: new URL(process.env.SPOON_TEST_DOCKER_HOST ?? '').pathname });
  const containers = await docker.listContainers({ all: true });
  // Names end in the instance, so the mount tells which of several services it belongs to.
  const ours = containers.filter(
    ({ Mounts, Names }) =>
      Names.some((name) => name.includes(`spoon-box-${username}`)) &&
      Mounts.some(({ Source }) => Source.startsWith(service.workdir)),
  );
  assert.equal(ours.length, 1, 'one box of this service and user');
  for (const { Id } of ours) await docker.getContainer(Id).remove({ force: true });
}
