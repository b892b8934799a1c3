import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { DotfileKind } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { JobEnvironment } from '../../protocol/jobWorkers.ts';
import { routes } from '../../protocol/routes.ts';
import { addRoute } from '../http/route.ts';
import type { JobRunner } from './jobRunner.ts';

interface OverlayEntry {
  readonly path: string;
  readonly kind: DotfileKind;
  readonly mode: number;
}

export interface WorkerRouteParts {
  readonly runner: JobRunner;
  readonly maxConcurrent: number;
  readonly createToken: (jobId: string, lifeMs: number) => Promise<{ token: string; expiresMs: number }>;
  /** @throws SpoonError `not-found` */
  readonly usernameOf: (userId: string) => Promise<string>;
  readonly repositoryOf: (userId: string) => Promise<JobEnvironment['repository']>;
  readonly overlayOf: (userId: string) => Promise<{ digest: string; entries: readonly OverlayEntry[] }>;
  readonly contents: (userId: string, paths: Iterable<HomePath>) => AsyncIterable<{ path: string; bytes: Uint8Array }>;
}

/** Longer than the job itself: it may have to wait for its turn. */
const waitMs = 24 * 60 * 60 * 1000;

/** What workers elsewhere, and the operator who sends them, see of jobs. */
export function addWorkerRoutes(app: FastifyInstance, parts: WorkerRouteParts): void {
  const { runner, maxConcurrent, createToken, usernameOf, repositoryOf, overlayOf } = parts;

  addRoute(app, routes.adminJobs, async () => ({
    maxConcurrent,
    jobs: await Promise.all(
      runner.all().map(async ({ id, userId, state, stored: { createdMs, startedMs } }) => ({
        id,
        username: await usernameOf(userId),
        state,
        createdMs,
        startedMs,
      })),
    ),
  }));

  addRoute(app, routes.createWorkerToken, async ({ params: { id = '' } }) => {
    const job = runner.active(id);
    if (job === undefined) throw new SpoonError('not-found');
    return { job: id, ...(await createToken(id, job.stored.timeLimitMs + waitMs)) };
  });

  addRoute(app, routes.jobEnvironment, async ({ caller, params: { id = '' }, reply }) => {
    // Another job is as absent as a random one, also for a token of the same user.
    if (caller.jobId !== id) throw new SpoonError('not-found');
    const job = runner.active(id);
    if (job === undefined) throw new SpoonError('job-ended', 'Its worker gets nothing any more.');
    const { userId } = job;
    const [username, repository, overlay] = await Promise.all([
      usernameOf(userId),
      repositoryOf(userId),
      overlayOf(userId),
    ]);
    const head = { job: id, username, repository };
    const stream = Readable.from(asJson(head, overlay, { contents: parts.contents, userId }), { objectMode: false });
    return reply.header('content-type', 'application/json').send(stream);
  });
}

/** A {@link JobEnvironment}, one dotfile in memory at a time. */
async function* asJson(
  head: Omit<JobEnvironment, 'overlay'>,
  { digest, entries }: { digest: string; entries: readonly OverlayEntry[] },
  { contents, userId }: Pick<WorkerRouteParts, 'contents'> & { userId: string },
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"overlay":{"digest":${JSON.stringify(digest)},"entries":[`;
  let separator = '';
  for (const { path, kind, mode } of entries) {
    let content: string | undefined = kind === 'directory' ? '' : undefined;
    if (content === undefined) {
      for await (const { bytes } of contents(userId, [path as HomePath]))
        content = Buffer.from(bytes).toString('base64');
    }
    // Removed meanwhile, or damaged, which the log of the service has.
    if (content === undefined) continue;
    yield separator + JSON.stringify({ path, kind, mode, content });
    separator = ',';
  }
  yield ']}}';
}
