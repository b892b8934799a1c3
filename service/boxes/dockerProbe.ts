import type Docker from 'dockerode';
import { absentOk } from './dockerCalls.ts';
import { statusOf } from './dockerErrors.ts';

/** A throw-away container that tries to connect, as a person in a box would. */

export interface Target {
  readonly address: string;
  readonly port: number;
}

export interface ProbeBox {
  readonly name: string;
  readonly image: string;
  /** As Docker's host has it. */
  readonly boxdDir: string;
  readonly network: string;
}

const tryMs = 1_500;
const maxSeconds = 20;
const nobody = '65534:65534';
const mebi = 1024 * 1024;

// "refused" is an answer of what is there: the packet arrived.
const script = `
const targets = JSON.parse(process.env.TARGETS);
const reaches = ({ address, port }) => new Promise((resolve) => {
  const socket = require('node:net').connect({ host: address, port, timeout: ${tryMs} });
  const done = (reached) => { resolve(reached); socket.destroy(); };
  socket.on('connect', () => done(true)).on('timeout', () => done(false));
  socket.on('error', ({ code }) => done(code === 'ECONNREFUSED' || code === 'ECONNRESET'));
});
Promise.all(targets.map(reaches)).then((reached) => process.stdout.write(JSON.stringify(reached)));
`;

/** @returns those of the targets that answer @throws what Docker throws; Error when the probe did not run */
export async function reachedFromBox(
  docker: Docker,
  box: ProbeBox,
  { targets, abortSignal }: { targets: readonly Target[]; abortSignal: AbortSignal },
): Promise<Target[]> {
  const container = await create(docker, box, { targets, abortSignal });
  try {
    await container.start({ abortSignal });
    const { StatusCode } = (await container.wait({ abortSignal })) as { StatusCode: number };
    const output = stdoutOf(await container.logs({ stdout: true, stderr: true, abortSignal }));
    const reached: unknown = StatusCode === 0 ? JSON.parse(output) : undefined;
    if (!Array.isArray(reached) || reached.length !== targets.length) {
      throw new Error(`The box that tries it ended with code ${StatusCode}.`);
    }
    return targets.filter((_, index) => reached[index] === true);
  } finally {
    // Also one that still runs because the signal came.
    await absentOk(container.remove({ force: true, v: true }));
  }
}

async function create(
  docker: Docker,
  { name, image, boxdDir, network }: ProbeBox,
  { targets, abortSignal }: { targets: readonly Target[]; abortSignal: AbortSignal },
): Promise<Docker.Container> {
  const options: Docker.ContainerCreateOptions = {
    name,
    Image: image,
    User: nobody,
    Env: [`TARGETS=${JSON.stringify(targets)}`],
    Entrypoint: ['/opt/spoon/bin/node'],
    Cmd: ['-e', script],
    Healthcheck: { Test: ['NONE'] },
    StopTimeout: maxSeconds,
    HostConfig: {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      PidsLimit: 64,
      Memory: 256 * mebi,
      MemorySwap: 256 * mebi,
      ReadonlyRootfs: true,
      LogConfig: { Type: 'local', Config: { 'max-size': '1m', 'max-file': '2' } },
      NetworkMode: network,
      Mounts: [{ Type: 'bind', Source: boxdDir, Target: '/opt/spoon', ReadOnly: true }],
    },
  };
  try {
    return await docker.createContainer({ ...options, abortSignal });
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
    // Of a service that was ended while it tried.
    await absentOk(docker.getContainer(name).remove({ force: true, v: true }));
    return docker.createContainer({ ...options, abortSignal });
  }
}

/** Docker frames the streams of a container without a terminal: stream (1 byte), three of nothing, length, bytes. */
function stdoutOf(log: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= log.length; ) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    if (log[at] === 1) text += log.toString('utf8', at + 8, end);
    at = end;
  }
  return text;
}
