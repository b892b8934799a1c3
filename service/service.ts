import type { EngineName } from '../protocol/boxes.ts';
import { SpoonError } from '../protocol/errors.ts';
import { cloneTimeoutMs } from '../protocol/limits.ts';
import { readAdminPage } from './adminPageFiles.ts';
import { adoptBoxes } from './adoptBoxes.ts';
import { Audit } from './audit/audit.ts';
import { AuditRetention } from './audit/retention.ts';
import { AuditTrail } from './auditTrail.ts';
import { Backups } from './backup/backups.ts';
import { Pins } from './boxes/pins.ts';
import { tellOfBoxes } from './boxNews.ts';
import { toBoxUser } from './boxUsers.ts';
import type { Config } from './config.ts';
import { noteSettings } from './configAudit.ts';
import { Dotfiles } from './dotfiles/dotfiles.ts';
import { EngineHealth, logFindings, openEngine } from './engines.ts';
import { DotfilesRepository } from './environment/dotfilesRepository.ts';
import { DotfilesSwitch } from './environment/dotfilesSwitch.ts';
import { HomeDrifts } from './environment/homeDrifts.ts';
import { LiveOverlay } from './environment/liveOverlay.ts';
import { Pipeline } from './environment/pipeline.ts';
import { RepositoryCredentials } from './environment/repositoryCredentials.ts';
import { RepositoryRecords } from './environment/repositoryRecords.ts';
import { RunRequests } from './environment/runRequests.ts';
import { ScratchTests } from './environment/scratchTests.ts';
import { exitCodeOf } from './exitCodes.ts';
import { GivenSecrets } from './givenSecrets.ts';
import { ServiceHealth } from './health.ts';
import { EventSubscribers } from './http/eventSubscribers.ts';
import { HttpSide } from './httpSide.ts';
import { Users } from './identity/users.ts';
import { refuseWrongKey } from './keyring/keyCheck.ts';
import { type Keyring, openKeyring } from './keyring/keyring.ts';
import { readRootKey } from './keyring/rootKey.ts';
import { DataKeyRotations } from './keyring/rotateData.ts';
import type { Logger } from './logger.ts';
import { listenForMetrics } from './metrics/metricsListener.ts';
import { withClientSecret } from './oidcSettings.ts';
import { openBoxes } from './openBoxes.ts';
import { openCertificate } from './openCertificate.ts';
import { Quotas } from './quotas/quotas.ts';
import { noteRun } from './repositoryAudit.ts';
import { SealedValues } from './secrets/sealedValues.ts';
import { Secrets } from './secrets/secrets.ts';
import { openStore, readInstanceId, type Store } from './store/database.ts';
import { disksOf, openWorkdir, removeStaleSocket, workdirAt } from './workdir.ts';

export interface Service {
  readonly url: string;
  readonly engine: EngineName;
  readonly instanceId: string;
  /** Reads the certificate again, where there is one. */
  reload(): Promise<void>;
  /** Graceful: what was asked for is finished, boxes run on. */
  close(): Promise<void>;
}

/** Of a test in a scratch box: to copy the home, to compare it, and for three starts. */
const copyingMs = 10 * 60_000;

interface Surroundings {
  readonly log: Logger;
  readonly version: string;
}

/**
 * Makes every part of the service and starts them in order; each is released in reverse, also when a later one fails to
 * start. Nothing is written before the key is known to be right.
 * @throws SpoonError, each code with an exit code in `exitCodes.ts`
 */
export async function startService(config: Config, { log, version }: Surroundings): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const certificate = config.tls && (await openCertificate(config.tls, log));
  if (certificate !== undefined) starting.defer(() => certificate.close());
  const root = await readRootKey(config.key);
  log.info('key', { text: `The key comes from ${root.source}.` });
  const workdir = workdirAt(config.workdir);
  const lock = await openWorkdir(workdir);
  starting.defer(() => lock.release());
  const store = await openStore(config.databaseFile, refuseWrongKey(root), (fault) => {
    // Memory is ahead of the disk, and only a start from there brings them together. Boxes run on.
    const lost = new SpoonError('store-busy', 'What was written does not reach the disk.', { cause: fault });
    log.failure('store', lost);
    process.exit(exitCodeOf(lost));
  });
  starting.defer(() => store.close());
  const keyring = await openKeyring(store, root);
  starting.defer(() => keyring.close());
  const instanceId = await readInstanceId(store);
  const backups = new Backups({
    store,
    keyring,
    folder: workdir.root,
    version,
    now: Date.now,
    onError: (error) => log.failure('backup', error),
  });
  await backups.removeLeftover();
  const rotations = new DataKeyRotations({
    store,
    keyring,
    onProblem: (error, userId) => log.failure('keys.rotate', error, { userId }),
  });
  starting.defer(() => rotations.close());
  rotations.resume();
  const opened = await openEngine(config, workdir, instanceId);
  starting.defer(() => opened.engine.close());
  const engine = opened.engine.name;
  const engineHealth = new EngineHealth(opened.engine, config.image);
  log.info('engine', { engine, text: opened.because });
  logFindings(engineHealth, log);

  const quotas = await Quotas.open(store);
  const trail = new AuditTrail({
    audit: new Audit({ store, keyring, now: Date.now }),
    onError: (error) => log.failure('audit', error),
    usernameOf: async (userId) => (await data.users.byId(userId))?.username ?? null,
  });
  starting.defer(() => trail.close());
  const retention = new AuditRetention({
    ...{ store, keyring, now: Date.now, days: config.auditDays },
    onRemoved: (count) => log.info('audit.removed', { text: `${count} old entries` }),
    onError: (error) => log.failure('audit.retention', error),
  });
  starting.defer(() => retention.close());
  await noteSettings(trail, { store, keyring, given: { ...config.given, version } });
  const data = openData({ store, keyring, quotas, trail, instanceId, log, separatesUsers: opened.separatesUsers });
  starting.defer(() => data.dotfiles.close());
  const overlay = new LiveOverlay({
    dotfiles: data.dotfiles,
    reachable: (userId) => boxes.reachable(userId),
    publish: (userId, event) => data.subscribers.publish(userId, event),
    onError: (error, userId) => log.failure('overlay', error, { userId }),
    onWritten: (box, paths) => drifts.written(box, paths),
    isOff: (userId) => dotfilesSwitch.isOff(userId),
    onTakenOut: (userId, found) => dotfilesSwitch.takenOut(userId, found),
  });
  const drifts = new HomeDrifts({
    dotfiles: data.dotfiles,
    reachable: (userId) => boxes.reachable(userId),
    publish: (userId, event) => data.subscribers.publish(userId, event),
    onError: (error, userId) => log.failure('drift', error, { userId }),
  });
  starting.defer(() => drifts.close());
  const records = new RepositoryRecords({ store, keyring });
  const credentials = new RepositoryCredentials({ records, sealedValues: data.sealedValues, now: Date.now });
  const given = new GivenSecrets(data.secrets, trail);
  const requests = new RunRequests({
    credentials,
    secretsFor: (userId) => given.toSetup(userId),
    gitHosts: config.git.hosts,
    cloneMs: config.git.timeoutMs,
    setupMs: config.git.setupMs,
  });
  const repository = new DotfilesRepository({
    records,
    credentials,
    requests,
    gitHosts: config.git.hosts,
    reachable: (userId) => boxes.reachable(userId),
    tellStages: (box, stages) => boxes.tellStages(box, stages),
    overlay,
    publish: (userId, event) => data.subscribers.publish(userId, event),
    onEnded: (userId, ended) => noteRun(trail, userId, ended),
    onError: (error, userId) => log.failure('repository', error, { userId }),
  });
  const dotfilesSwitch = new DotfilesSwitch({
    records,
    repository,
    overlay,
    reachable: (userId) => boxes.reachable(userId),
    tellStages: (box, stages) => boxes.tellStages(box, stages),
    publish: (userId, event) => data.subscribers.publish(userId, event),
    onError: (error, userId) => log.failure('dotfiles.switch', error, { userId }),
  });
  const pipeline = new Pipeline({
    repository,
    overlay,
    onError: (error, userId) => log.failure('pipeline', error, { userId }),
  });
  const pins = await Pins.open(store);
  const { boxes, scratchBoxes, watchNetwork } = await openBoxes({
    config,
    workdir,
    opened,
    quotas,
    pipeline,
    drifts,
    pins,
    trail,
    log,
  });
  starting.defer(() => boxes.close());
  const scratch = new ScratchTests({
    boxes: scratchBoxes,
    repository,
    overlay,
    maxBytes: config.git.scratchBytes,
    maxMs: cloneTimeoutMs + config.git.setupMs + copyingMs,
    onError: (error, userId) => log.failure('repository.test', error, { userId }),
  });
  starting.defer(() => scratch.close());
  tellOfBoxes({ boxes, subscribers: data.subscribers, log });
  const users = (await data.users.list()).filter(({ disabled }) => !disabled);
  // The app is made while boxes and their engine answer.
  const adopting = adoptBoxes(boxes, users.map(toBoxUser), log);
  const health = new ServiceHealth({
    store,
    keyring,
    engine: engineHealth,
    disks: () => disksOf(workdir, config.databaseFile),
    certificate: () => certificate?.problems() ?? [],
    audit: () => retention.problems(),
    onError: (error) => log.failure('health', error),
  });
  const side = await HttpSide.create({
    access: config.access,
    certificate,
    oidc: await withClientSecret(config.oidc),
    data: { store, keyring, backups, rotations, quotas, trail, ...data },
    boxes: {
      boxes,
      overlay,
      drifts,
      repository,
      records,
      dotfilesSwitch,
      scratch,
      git: config.git,
      network: opened.engine.network,
    },
    jobs: config.jobs,
    about: {
      version,
      instanceId,
      engine,
      findings: () => health.findings(),
      disks: () => disksOf(workdir, config.databaseFile),
      adminPage: await readAdminPage(),
      notReady: () => health.notReady(),
    },
    log,
  });
  starting.defer(() => side.close());
  const { boxesKnown } = await adopting;
  await boxes.setFormerHomesAside(await data.users.formerNames());
  await scratchBoxes.sweep();
  // Not waited for: an old home of many files must not hold up who works here now.
  boxes.eraseRemovedHomes().catch((error: unknown) => log.failure('homes.erase', error));
  await side.resumeJobs(boxesKnown);
  // No sooner: the box that tries it would take a processor from the start.
  watchNetwork();
  await removeStaleSocket(workdir.adminSocket);
  await side.listenToOperator(workdir.adminSocket);
  const url = await side.listen(config.listen);
  if (config.metricsListen !== undefined) {
    const onError = (error: unknown) => log.failure('metrics', error);
    const forMetrics = await listenForMetrics(side.metrics, config.metricsListen, onError);
    starting.use(forMetrics);
    log.info('metrics', { url: forMetrics.url });
  }
  retention.start();
  const running = starting.move();
  return {
    url,
    engine,
    instanceId,
    reload: async () => certificate?.reload(),
    close: () => running.disposeAsync(),
  };
}

function openData(parts: {
  store: Store;
  keyring: Keyring;
  quotas: Quotas;
  trail: AuditTrail;
  instanceId: string;
  log: Logger;
  separatesUsers: boolean;
}): { users: Users; dotfiles: Dotfiles; sealedValues: SealedValues; secrets: Secrets; subscribers: EventSubscribers } {
  const { store, keyring, quotas, trail, instanceId, log } = parts;
  const onDamage =
    (what: string) =>
    ({ userId, error }: { userId: string; error: SpoonError }) => {
      log.failure(`${what}.damaged`, error, { userId });
      trail.damaged(what, userId);
    };
  const sealedValues = new SealedValues({ store, keyring, now: Date.now });
  return {
    users: new Users(parts),
    dotfiles: new Dotfiles({
      store,
      keyring,
      now: Date.now,
      limitsOf: (userId) => quotas.limitsOf(userId),
      onDamage: onDamage('dotfile'),
    }),
    sealedValues,
    secrets: new Secrets({ store, keyring, sealedValues, now: Date.now, onDamage: onDamage('secret') }),
    subscribers: new EventSubscribers(instanceId),
  };
}
