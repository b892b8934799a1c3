import * as vscode from 'vscode';
import { isEndedJobState, type Job } from '../../protocol/jobs.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText } from '../failure.ts';
import { threadName } from '../threads/homeThreads.ts';
import { threadNodeOf } from '../threads/threadCommands.ts';
import { pickThread, threadInView } from '../threads/threadPicker.ts';
import type { JobDocuments } from './jobDocuments.ts';
import { JobLogTerminal } from './jobLogTerminal.ts';
import type { JobNode, JobsTree } from './jobsTree.ts';
import { stateInWords } from './jobWords.ts';
import { askPrompt, type PromptDocuments, promptComplaint } from './newJob.ts';

interface JobItem extends vscode.QuickPickItem {
  readonly job: Job;
}

interface Parts {
  readonly current: CurrentConnection;
  readonly tree: JobsTree;
  readonly documents: JobDocuments;
  readonly prompts: PromptDocuments;
}

/** The commands of the Jobs view; without a node they ask which job is meant. */
export class JobCommands implements vscode.Disposable {
  readonly #parts: Parts;
  /** By the id of the job. */
  readonly #logs = new Map<string, { readonly terminal: vscode.Terminal; readonly pty: JobLogTerminal }>();
  readonly #following: vscode.Disposable;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#following = vscode.window.onDidCloseTerminal((closed) => {
      for (const [id, { terminal }] of this.#logs) if (terminal === closed) this.#logs.delete(id);
    });
  }

  /** @param target a node of the Threads view; without one the thread is asked for */
  async create(target: unknown): Promise<void> {
    const connection = this.#reachable();
    const node = threadNodeOf(target);
    const known = node?.kind === 'thread' ? connection.threads.threads.find(({ id }) => id === node.id) : undefined;
    const thread = known ?? threadInView(connection) ?? (await pickThread(connection, vscode.l10n.t('New Job')));
    if (thread === undefined) return;
    const name = threadName(thread);
    const prompt = await askPrompt(connection, name, this.#parts.prompts);
    if (prompt !== undefined) await this.#run(connection, name, prompt);
  }

  /** What is written in an editor. */
  async runWritten(): Promise<void> {
    const written = this.#parts.prompts.shown;
    if (written === undefined) return;
    const complaint = promptComplaint(written.prompt);
    if (complaint !== undefined) return void vscode.window.showWarningMessage(complaint);
    const connection = this.#reachable();
    await this.#run(connection, written.thread, written.prompt);
    await this.#parts.prompts.close();
  }

  async cancel(node?: JobNode): Promise<void> {
    const connection = this.#reachable();
    const job = await this.#job(connection, node, vscode.l10n.t('Cancel Job'), ({ state }) => !isEndedJobState(state));
    if (job === undefined) return;
    if (job.state !== 'queued') {
      const cancel = vscode.l10n.t('Cancel Job');
      const question = vscode.l10n.t('Cancel the job in {0}?', job.thread);
      const detail = vscode.l10n.t(
        '{0}\n\nEverything that it started ends. What it has changed stays.',
        asPlainText(job.title),
      );
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, cancel)) !== cancel) return;
    }
    connection.jobs.put(await connection.api.call('cancelJob', { params: { id: job.id } }));
  }

  async retry(node?: JobNode): Promise<void> {
    const connection = this.#reachable();
    const job = await this.#job(connection, node, vscode.l10n.t('Retry Job'), ({ state }) => isEndedJobState(state));
    if (job === undefined) return;
    await this.#started(connection, await connection.api.call('retryJob', { params: { id: job.id } }));
  }

  async showLog(node?: JobNode): Promise<void> {
    const connection = this.#reachable();
    const job = await this.#job(connection, node, vscode.l10n.t('Show Job Log'));
    if (job !== undefined) this.#openLog(connection, job);
  }

  async openLogAsText(node?: JobNode): Promise<void> {
    const connection = this.#reachable();
    const job = await this.#job(connection, node, vscode.l10n.t('Open Job Log as Text'));
    if (job !== undefined) await this.#parts.documents.showLog(job);
  }

  async showDiff(node?: JobNode): Promise<void> {
    const connection = this.#reachable();
    const job = await this.#job(connection, node, vscode.l10n.t('Show Job Diff'), ({ state }) =>
      isEndedJobState(state),
    );
    if (job !== undefined) await this.#parts.documents.showDiff(job);
  }

  async remove(node?: JobNode): Promise<void> {
    const connection = this.#reachable();
    const job = await this.#job(connection, node, vscode.l10n.t('Forget Job'), ({ state }) => isEndedJobState(state));
    if (job === undefined) return;
    const forget = vscode.l10n.t('Forget');
    const question = vscode.l10n.t('Forget the job in {0} with its log?', job.thread);
    const detail = vscode.l10n.t('{0}\n\nWhat it has changed in the thread stays.', asPlainText(job.title));
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, forget)) !== forget) return;
    await connection.api.call('removeJob', { params: { id: job.id } });
    connection.jobs.drop([job.id]);
  }

  async clear(): Promise<void> {
    const { api, jobs } = this.#reachable();
    const ended = jobs.list.filter(({ state }) => isEndedJobState(state)).length;
    if (ended === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('No job has ended yet.'));
      return;
    }
    const forget = vscode.l10n.t('Forget');
    const question = vscode.l10n.t('Forget the jobs that have ended ({0}), with their logs?', ended);
    const detail = vscode.l10n.t('What they have changed in their threads stays.');
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, forget)) !== forget) return;
    await api.call('clearJobs');
    await jobs.refresh();
  }

  async search(): Promise<void> {
    const { api, jobs } = this.#reachable();
    const title = vscode.l10n.t('Search Job Logs');
    const text = await vscode.window.showInputBox({
      title,
      prompt: vscode.l10n.t('A text in prompts and logs, in any case'),
    });
    if (text === undefined || text === '') return;
    const { matches, truncated } = await api.call('searchJobs', { body: { text } });
    if (matches.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('No prompt and no log has {0}.', text));
      return;
    }
    const items = matches.map((match) => ({
      label: asPlainText(match.text.trim()) || match.title,
      description: asPlainText(`${match.thread}, ${match.line === null ? vscode.l10n.t('prompt') : match.line}`),
      detail: asPlainText(match.title),
      match,
    }));
    const placeHolder = truncated ? vscode.l10n.t('There may be more; a longer text finds less') : '';
    const picked = await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDetail: true });
    const job = picked === undefined ? undefined : jobs.find(picked.match.job);
    if (picked !== undefined && job !== undefined)
      await this.#parts.documents.showLog(job, picked.match.line ?? undefined);
  }

  async refresh(): Promise<void> {
    await this.#parts.current.require().jobs.refresh();
  }

  /** The machine woke up. */
  renew(): void {
    for (const { pty } of this.#logs.values()) pty.renew();
  }

  dispose(): void {
    this.#following.dispose();
  }

  async #run(connection: Connection, thread: string, prompt: string): Promise<void> {
    await this.#started(connection, await connection.api.call('runJob', { body: { thread, prompt } }));
  }

  async #started(connection: Connection, job: Job): Promise<void> {
    connection.jobs.put(job);
    this.#openLog(connection, job);
    await this.#parts.tree.reveal(job.id);
  }

  #openLog({ terminals }: Connection, { id, title, thread }: Job): void {
    const open = this.#logs.get(id)?.terminal;
    if (open !== undefined) {
      open.show(true);
      return;
    }
    const pty = new JobLogTerminal(terminals, id);
    const name = asPlainText(vscode.l10n.t('Job in {0}: {1}', thread, title)).slice(0, 60);
    const iconPath = new vscode.ThemeIcon('output');
    const terminal = vscode.window.createTerminal({ name, pty, iconPath, isTransient: true });
    this.#logs.set(id, { terminal, pty });
    terminal.show(true);
  }

  async #job(
    { jobs }: Connection,
    node: JobNode | undefined,
    title: string,
    fits: (job: Job) => boolean = () => true,
  ): Promise<Job | undefined> {
    if (node?.kind === 'job') return jobs.find(node.id);
    if (!jobs.isListed) await jobs.refresh();
    const items = jobs.list.filter(fits).map(
      (job): JobItem => ({
        label: asPlainText(job.title),
        description: asPlainText(`${job.thread}, ${stateInWords(job)}`),
        job,
      }),
    );
    if (items.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('There is no such job.'));
      return undefined;
    }
    return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.job;
  }

  #reachable(): Connection {
    const connection = this.#parts.current.require();
    connection.requireReachable();
    return connection;
  }
}

export function jobNodeOf(argument: unknown): JobNode | undefined {
  const isNode = typeof argument === 'object' && argument !== null && 'kind' in argument && 'id' in argument;
  return isNode && argument.kind === 'job' ? (argument as JobNode) : undefined;
}
