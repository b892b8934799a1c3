import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Docker from 'dockerode';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { ensureDebianImage, removeOldImages } from '../../scripts/provision/debianImage.ts';
import { startTestEngine, type TestEngine } from '../../scripts/provision/docker.ts';
import { canaryPort, HostNetwork, lanAddresses, listedPort } from '../../service/boxes/hostNetwork.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const [gitAddress = ''] = lanAddresses;
const say = (text: string): void => console.log(text);

// A git server on a network behind the host, which boxes reach through the hole that SPOON_GIT_HOSTS makes and no other way.
// The engine is this file's own, since that network is laid around it.
describe('a repository cloned in a box on Docker', { concurrency: false, timeout: 400_000 }, () => {
  const stack = new AsyncDisposableStack();
  let engine: TestEngine;
  let network: HostNetwork;
  let server: GitServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    engine = stack.use(await startTestEngine(say));
    const docker = new Docker({ socketPath: engine.socketPath });
    const image = await ensureDebianImage(docker, say);
    await removeOldImages(docker);
    network = stack.use(await HostNetwork.around(engine.networkNamespace, [listedPort]));
    server = stack.use(await GitServer.start({ address: gitAddress, port: listedPort }));
    await network.forward(listedPort, server.socketPath);
    server.repository('one', { 'README.md': 'hello', 'src/a.ts': 'export {};\n' });
    const authorities = join(server.folder, 'authorities.pem');
    await writeFile(authorities, server.ca);
    const environment = {
      DOCKER_HOST: engine.host,
      SPOON_AGENT_IMAGE: image,
      SPOON_AGENT_NETWORK_NAMESPACE: engine.networkNamespace,
      SPOON_GIT_HOSTS: server.host,
      SPOON_CA_FILE: authorities,
    };
    service = stack.use(await RunningService.start({ engine: 'docker', environment }));
    ada = await service.addUser('Ada');
  });
  after(() => stack.disposeAsync());

  const spoonctl = async (...args: string[]) => {
    const { code, stdout, stderr } = await service.spoonctl(ada, args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  it('is checked out as the user, over TLS that the operator’s authority vouches for', async () => {
    const made = await spoonctl('threads', 'new', 'one', 'main', '--url', server.url('one.git'));
    assert.match(made, /~\/Code\/one\/main\n$/);
    assert.equal(await service.inBox(ada, 'cat', 'Code/one/main/README.md'), 'hello');
    assert.equal(await service.inBox(ada, 'stat', '-c', '%U', 'Code/one/main/src/a.ts'), 'ada');
    assert.ok(server.requests.includes('POST /one.git/git-upload-pack'), server.requests.join(', '));
  });

  it('has a second thread without a second download, and the user’s own git works there', async () => {
    const { sentBytes } = server;
    await spoonctl('threads', 'new', 'one', 'feature', '--url', server.url('one.git'));
    assert.ok(server.sentBytes - sentBytes < 4096, `${server.sentBytes - sentBytes} bytes`);
    assert.equal(await service.inBox(ada, 'git', '-C', 'Code/one/feature', 'branch', '--show-current'), 'feature');
    assert.equal(await service.inBox(ada, 'git', '-C', 'Code/one/main', 'pull'), 'Already up to date.');
  });

  it('is all that a box reaches there', async () => {
    const closed = `exec 3<>/dev/tcp/${gitAddress}/${canaryPort}`;
    const tried = await service.commandInBox(ada, ['bash', '-c', closed]);
    assert.notEqual(tried.code, 0);
    assert.deepEqual(network.takeHits(), []);
  });
});
