import { SpoonError } from '../protocol/errors.ts';
import type { AuditTrail } from './auditTrail.ts';
import type { Injection, Secrets } from './secrets/secrets.ts';

/** What gets them: a terminal, a command, a job, by id. */
export interface Receiver {
  readonly kind: 'terminal' | 'command' | 'job';
  readonly id: string;
}

interface Asker {
  readonly userId: string;
  readonly tokenId: string;
}

const withheld =
  'Your secrets were left out: it could not be written down that they are used. Your operator knows why.';

/** Secrets on their way into a process: which, by their ids, is written down before it has them, and never a name or a value. */
export class GivenSecrets {
  readonly #secrets: Pick<Secrets, 'forProcess'>;
  readonly #trail: AuditTrail;

  constructor(secrets: Pick<Secrets, 'forProcess'>, trail: AuditTrail) {
    this.#secrets = secrets;
    this.#trail = trail;
  }

  /** A shell opens all the same where that cannot be written down: without them. */
  async toShell(asker: Asker, spoon: string | null, receiver: Receiver): Promise<Injection> {
    const given = await this.#secrets.forProcess(asker.userId, 'shells', spoon);
    try {
      await this.#record(asker.userId, given, { ...receiver, tokenId: asker.tokenId });
      return given;
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      this.#trail.onError(error);
      return { environment: {}, secretFiles: {}, ids: [], notes: [...given.notes, withheld] };
    }
  }

  /** @throws SpoonError `audit-unavailable` */
  async toJob(userId: string, spoon: string, jobId: string): Promise<Injection> {
    const given = await this.#secrets.forProcess(userId, 'jobs', spoon);
    await this.#record(userId, given, { kind: 'job', id: jobId });
    return given;
  }

  /** For the setup of a dotfiles repository, whenever its box may run one. @throws SpoonError `audit-unavailable` */
  async toSetup(userId: string): Promise<Injection> {
    const given = await this.#secrets.forProcess(userId, 'setup', null);
    await this.#record(userId, given, { kind: 'setup', id: null });
    return given;
  }

  async #record(
    userId: string,
    { ids }: Injection,
    { kind, id, tokenId = null }: { kind: Receiver['kind'] | 'setup'; id: string | null; tokenId?: string | null },
  ): Promise<void> {
    if (ids.length === 0) return;
    const details = { into: kind, secrets: ids.join(' ') };
    await this.#trail.recordOf(userId, { event: 'secret.inject', object: id, tokenId, details });
  }
}
