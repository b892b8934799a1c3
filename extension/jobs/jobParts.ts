import * as vscode from 'vscode';
import type { Job } from '../../protocol/jobs.ts';
import type { JobCommandId } from '../commandIds.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import { type CommandHandler, runGuarded } from '../registerCommands.ts';
import { setting } from '../settings.ts';
import { JobCommands, jobNodeOf } from './jobCommands.ts';
import { JobDocuments } from './jobDocuments.ts';
import { JobsTree } from './jobsTree.ts';
import { changesInWords, endInWords, isWorthTelling } from './jobWords.ts';
import { PromptDocuments } from './newJob.ts';

/** Everything about agent jobs in VS Code: the view, the commands, logs and diffs, and one message at an end. */
export class JobParts implements vscode.Disposable {
  readonly commands: Readonly<Record<JobCommandId, CommandHandler>>;
  readonly #log: Log;
  readonly #commands: JobCommands;
  readonly #disposable: vscode.Disposable;
  #following: vscode.Disposable | undefined;

  constructor({ current, log }: { current: CurrentConnection; log: Log }) {
    this.#log = log;
    const documents = new JobDocuments(current);
    const prompts = new PromptDocuments();
    const tree = new JobsTree(current);
    const commands = new JobCommands({ current, tree, documents, prompts });
    this.#commands = commands;
    const follow = current.onDidChange((connection) => this.#follow(connection));
    this.#disposable = vscode.Disposable.from(documents, prompts, tree, commands, follow);
    this.commands = {
      'spoon.job.new': (target) => commands.create(target),
      'spoon.job.runPrompt': () => commands.runWritten(),
      'spoon.job.cancel': (node) => commands.cancel(jobNodeOf(node)),
      'spoon.job.retry': (node) => commands.retry(jobNodeOf(node)),
      'spoon.job.showLog': (node) => commands.showLog(jobNodeOf(node)),
      'spoon.job.openLogAsText': (node) => commands.openLogAsText(jobNodeOf(node)),
      'spoon.job.showDiff': (node) => commands.showDiff(jobNodeOf(node)),
      'spoon.job.remove': (node) => commands.remove(jobNodeOf(node)),
      'spoon.jobs.search': () => commands.search(),
      'spoon.jobs.clear': () => commands.clear(),
      'spoon.jobs.refresh': () => commands.refresh(),
    };
  }

  /** The machine woke up. */
  renew(): void {
    this.#commands.renew();
  }

  dispose(): void {
    this.#following?.dispose();
    this.#disposable.dispose();
  }

  #follow(connection: Connection | undefined): void {
    this.#following?.dispose();
    this.#following = connection?.jobs.onDidEnd((job) => {
      if (!isWorthTelling(job, setting('jobs.notify'))) return;
      void runGuarded(() => this.#tell(job), 'end of a job', this.#log);
    });
  }

  async #tell(job: Job): Promise<void> {
    const [log, diff, retry] = [vscode.l10n.t('Show Log'), vscode.l10n.t('Show Diff'), vscode.l10n.t('Retry')];
    const isGood = job.state === 'succeeded';
    const text = asPlainText(`${job.thread}: ${job.title}: ${endInWords(job)}`);
    const buttons = [log, ...(changesInWords(job) === undefined ? [] : [diff]), ...(isGood ? [] : [retry])];
    const answer = await (isGood
      ? vscode.window.showInformationMessage(text, ...buttons)
      : vscode.window.showWarningMessage(text, ...buttons));
    const node = { kind: 'job', id: job.id } as const;
    if (answer === log) await this.#commands.showLog(node);
    if (answer === diff) await this.#commands.showDiff(node);
    if (answer === retry) await this.#commands.retry(node);
  }
}
