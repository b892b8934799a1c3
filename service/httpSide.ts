import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { SpoonError } from '../protocol/errors.ts';
import type { SpoonEvent } from '../protocol/events.ts';
import type { ListenAddress } from './accessSettings.ts';
import { addAdminRoutes } from './admin/adminRoutes.ts';
import { addBoxRoutes } from './boxes/boxRoutes.ts';
import { addNetworkRoutes } from './boxes/networkRoutes.ts';
import { boxUserFinder, toBoxUser } from './boxUsers.ts';
import { addDotfileRoutes } from './dotfiles/dotfileRoutes.ts';
import type { ChangeHearers } from './dotfiles/tellChange.ts';
import { addDriftRoutes } from './environment/driftRoutes.ts';
import { addRepositoryRoutes } from './environment/repositoryRoutes.ts';
import { addFileRoutes, requireRunning } from './files/fileRoutes.ts';
import { GivenSecrets } from './givenSecrets.ts';
import { openAdminSocket } from './http/adminSocket.ts';
import { addHealthRoutes, healthOf } from './http/healthRoute.ts';
import { listenAt, urlOf } from './http/listenAt.ts';
import { LiveRequests } from './http/liveRequests.ts';
import { createRateLimits } from './http/rateLimits.ts';
import { createHttpApp, requireAllRoutes } from './http/server.ts';
import { addUpgradeRoutes, Upgrades } from './http/upgrade.ts';
import type { HttpSideParts } from './httpSideParts.ts';
import { Tokens } from './identity/tokens.ts';
import { addIdentity } from './identitySide.ts';
import { JobSide } from './jobSide.ts';
import { addKeeping } from './keepingSide.ts';
import type { Metrics } from './metrics/metrics.ts';
import { addMetricsRoutes } from './metrics/metricsRoutes.ts';
import { createMetrics } from './metricsSide.ts';
import { HomeSizes } from './quotas/homeSizes.ts';
import { noteCheckout } from './repositoryAudit.ts';
import { addSealKeyRoutes } from './secrets/sealKeyRoutes.ts';
import { addSecretRoutes } from './secrets/secretRoutes.ts';
import { ShareSide } from './shareSide.ts';
import { addCommandRoutes } from './terminals/commandRoutes.ts';
import { isBoxGone } from './terminals/isBoxGone.ts';
import { addTerminalRoutes } from './terminals/terminalRoutes.ts';
import { Terminals } from './terminals/terminals.ts';
import { Tickets } from './terminals/tickets.ts';
import { Spoons } from './threads/spoons.ts';
import { ThreadRecords } from './threads/threadRecords.ts';
import { addThreadRoutes } from './threads/threadRoutes.ts';
import { Threads } from './threads/threads.ts';
import { auditOfUpgrades } from './upgradeAudit.ts';

interface Made {
  readonly app: FastifyInstance;
  readonly upgrades: Upgrades;
  readonly tokens: Tokens;
  readonly operatorSockets: WeakSet<Socket>;
  readonly jobSide: JobSide;
  readonly shareSide: ShareSide;
  readonly metrics: Metrics;
}

const finishMs = 10_000;

/** Everything between the network and the nouns: the app with all routes, the relay, both ways in. */
export class HttpSide {
  readonly #parts: HttpSideParts;
  readonly #made: Made;
  #adminSocket: AsyncDisposable | undefined;

  private constructor(parts: HttpSideParts, made: Made) {
    this.#parts = parts;
    this.#made = made;
  }

  static async create(parts: HttpSideParts): Promise<HttpSide> {
    const { access, data, about, log } = parts;
    const { trail } = data;
    const { boxes, overlay, drifts, repository, dotfilesSwitch, git } = parts.boxes;
    const stored = {
      store: data.store,
      keyring: data.keyring,
      gitHosts: git.hosts,
      now: Date.now,
      onDamage: ({ userId, error }: { userId: string; error: SpoonError }) => {
        log.failure('thread.damaged', error, { userId });
        trail.damaged('thread', userId);
      },
    };
    const limits = createRateLimits();
    const tickets = new Tickets();
    const live = new LiveRequests();
    const findUser = boxUserFinder(data.users);
    const { quotas } = data;
    const homeSizes = new HomeSizes({
      quotas,
      onError: (error, userId) => log.failure('home.count', error, { userId }),
    });
    const spoons = new Spoons(stored);
    const records = new ThreadRecords(stored);
    const threads = new Threads({
      spoons,
      records,
      boxes,
      findUser,
      homeSizes,
      timeoutMs: git.timeoutMs,
      onCheckout: (userId, made) => noteCheckout(trail, userId, made),
    });
    const { sealedValues, secrets } = data;
    const given = new GivenSecrets(secrets, trail);
    const terminals = new Terminals({
      boxes,
      tickets,
      findUser,
      quotas,
      homeSizes,
      secretsFor: (asker, spoon, receiver) => given.toShell(asker, spoon, receiver),
      folderOfThread: (box, thread, signal) => threads.folderFor(box, thread, { signal }),
    });
    const jobSide = new JobSide({
      ...stored,
      settings: parts.jobs,
      boxes,
      findUser,
      threads,
      repository,
      secretsFor: (userId, spoon, jobId) => given.toJob(userId, spoon, jobId),
      isOff: (userId) => dotfilesSwitch.isOff(userId),
      overlayOf: (userId) => overlay.wanted(userId),
      contents: (userId, paths) => data.dotfiles.contents(userId, paths),
      publish: (userId, event) => data.subscribers.publish(userId, event),
      onDamage: ({ userId, error }) => {
        log.failure('job.damaged', error, { userId });
        trail.damaged('job', userId);
      },
      onError: (error, userId) => log.failure('job', error, { userId }),
    });
    const publish = (userId: string, event: SpoonEvent) => data.subscribers.publish(userId, event);
    const shareSide = new ShareSide({
      ...{ ...data, boxes, terminals, tickets, publish },
      onError: (error, userId) => log.failure('share', error, { userId }),
    });
    const metrics: Metrics = createMetrics({ ...parts, jobSide, auditFailures: () => trail.audit.failures });
    const upgrades = new Upgrades({
      access,
      redeem: (ticket, target) => tickets.redeem(ticket, target),
      openRelay: ({ userId }, target) =>
        target.kind === 'files' ? requireRunning(boxes, userId).watchFiles() : terminals.attach(userId, target),
      isBoxGone: ({ userId }) => isBoxGone(boxes, userId),
      acceptJob: (grant, jobId, connection) => jobSide.viewers.accept(grant, jobId, connection),
      acceptShare: (grant, id, connection) => shareSide.guests.accept(grant, id, connection),
      acceptEvents: (grant, request, socket, head) => data.subscribers.accept(grant, request, socket, head),
      ...auditOfUpgrades({ trail, trustedProxies: access.trustedProxies }),
      report: (report) => {
        log.info('upgrade', report);
        metrics.upgradeFinished(report);
      },
      failure: (error) => log.failure('upgrade.failed', error),
    });
    boxes.onSilence(({ userId }, isSilent) => upgrades.tellSilence(userId, isSilent));
    const tokens = new Tokens({
      store: data.store,
      keyring: data.keyring,
      onRevoked: (tokenId) => {
        tickets.voidThoseOf(tokenId);
        upgrades.closeThoseOf(tokenId);
        jobSide.viewers.closeThoseOf(tokenId);
        shareSide.guests.closeThoseOf(tokenId);
        data.subscribers.closeThoseOf(tokenId);
        live.endThoseOf(tokenId);
      },
      onError: (error) => log.failure('token.last-used', error),
    });
    const operatorSockets = new WeakSet<Socket>();
    const app = await createHttpApp({
      access,
      certificate: parts.certificate,
      authentication: {
        verify: (token) => jobSide.verifyWorker(token) ?? tokens.verify(token),
        operatorSockets,
        limits,
      },
      live,
      version: about.version,
      report: (report) => {
        log.info('request', report);
        metrics.requestFinished(report);
      },
      failure: (error, requestId) => log.failure('request.failed', error, { requestId }),
    });
    addKeeping(app, { ...data, log });
    addHealthRoutes(app, about);
    addAdminRoutes(app, {
      ...data,
      ...about,
      homeSizes,
      boxes,
      boxUser: toBoxUser,
      endScratch: async (userId) => void (await parts.boxes.scratch.cancel(userId)),
      health: () => healthOf(about),
      lastBackupMs: () => data.backups.lastMs(),
    });
    addIdentity(app, {
      ...data,
      tokens,
      audit: trail.audit,
      limits,
      publicUrl: () => access.publicUrl ?? urlOf(app),
      blockBox: async (userId) => {
        // Begun first and waited for last: nothing in a throw-away box holds up the end of the real one.
        const scratchEnded = parts.boxes.scratch.cancel(userId);
        await shareSide.endAllOf(userId);
        await jobSide.endAllOf(userId, () => boxes.block(userId));
        await scratchEnded;
      },
      unblockBox: (userId) => boxes.unblock(userId),
      removeHome: (account) => boxes.removeHome(toBoxUser(account)),
      forget: (userId) => data.dotfiles.forget(userId),
      oidc: parts.oidc,
      log,
    });
    const hearers: ChangeHearers = {
      apply: async (userId, change) => {
        const applied = await overlay.applyChange(userId, change);
        // A save settles a kept edit, or was in the way of one.
        drifts.refresh(userId).catch((error: unknown) => log.failure('drift', error, { userId }));
        return applied;
      },
      publish,
    };
    addDotfileRoutes(app, { dotfiles: data.dotfiles, ...hearers });
    addDriftRoutes(app, {
      dotfiles: data.dotfiles,
      drifts,
      overlay,
      hearers,
      reachable: (userId) => boxes.reachable(userId),
    });
    addSealKeyRoutes(app, { sealedValues });
    addSecretRoutes(app, { secrets, terminals, publish });
    addBoxRoutes(app, { boxes, findUser, homeSizes, applyAll: (box) => dotfilesSwitch.applyAgain(box) });
    addNetworkRoutes(app, parts.boxes);
    addRepositoryRoutes(app, { ...parts.boxes, limits, findUser });
    const hasJob = (threadId: string) => jobSide.runner.isAtWorkIn(threadId);
    addThreadRoutes(app, { threads, spoons, terminals, hasJob, limits, publish });
    const checkJob = (userId: string, id: string) => jobSide.jobs.find(userId, id);
    addTerminalRoutes(app, { terminals, tickets, checkJob, limits });
    addCommandRoutes(app, { terminals, limits });
    shareSide.addRoutes(app);
    jobSide.addRoutes(app, limits);
    addFileRoutes(app, { boxes });
    addUpgradeRoutes(app);
    addMetricsRoutes(app, metrics);
    requireAllRoutes(app);
    upgrades.attachTo(app.server);
    await app.ready();
    return new HttpSide(parts, { app, upgrades, tokens, operatorSockets, jobSide, shareSide, metrics });
  }

  /** Takes up those that an earlier service left. @param boxesKnown whether all boxes that run were found, once that is sure */
  resumeJobs(boxesKnown: Promise<boolean>): Promise<void> {
    return this.#made.jobSide.runner.resume(boxesKnown);
  }

  /** @returns the address as a URL @throws SpoonError `listen-failed` */
  listen(address: ListenAddress): Promise<string> {
    return listenAt(this.#made.app, address);
  }

  /** @param path a socket in a folder that is the owner's alone @throws SpoonError `listen-failed` */
  async listenToOperator(path: string): Promise<void> {
    this.#adminSocket = await openAdminSocket(this.#made.app, { path, operatorSockets: this.#made.operatorSockets });
  }

  get metrics(): Metrics {
    return this.#made.metrics;
  }

  /** Takes nothing new, ends what is open, finishes what has been asked for, for at most 10 s. Boxes run on. */
  async close(): Promise<void> {
    const relaysClosed = this.#made.upgrades.close();
    this.#parts.data.subscribers.close();
    this.#made.jobSide.viewers.close();
    this.#made.shareSide.guests.close();
    const { server } = this.#made.app;
    const cut = setTimeout(() => server.closeAllConnections(), finishMs);
    try {
      await Promise.all([relaysClosed, this.#made.app.close(), this.#adminSocket?.[Symbol.asyncDispose]()]);
      if (server.listening) await once(server, 'close');
      await this.#made.jobSide.close();
      await this.#made.tokens.settle();
    } finally {
      clearTimeout(cut);
    }
  }
}
