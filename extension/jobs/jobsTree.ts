import * as vscode from 'vscode';
import { isEndedJobState, type Job, type JobState } from '../../protocol/jobs.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { timeText } from '../dotfiles/timeText.ts';
import { asPlainText } from '../failure.ts';
import { ConnectionTree } from '../tree/connectionTree.ts';
import { changesInWords, durationInWords, groupOf, groupTitles, type JobGroup, stateInWords } from './jobWords.ts';

export type JobNode =
  | { readonly kind: 'group'; readonly group: JobGroup }
  | { readonly kind: 'job'; readonly id: string };

export const jobsViewId = 'spoon.jobs';
/** How long something runs is told anew so often, while somebody looks. */
const lookEveryMs = 5_000;
const groups: readonly JobGroup[] = ['running', 'waiting', 'ended'];

const icons: Readonly<Record<JobState, vscode.ThemeIcon>> = {
  queued: new vscode.ThemeIcon('clock'),
  starting: new vscode.ThemeIcon('loading~spin'),
  running: new vscode.ThemeIcon('loading~spin'),
  cancelling: new vscode.ThemeIcon('loading~spin'),
  succeeded: new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed')),
  failed: new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconFailed')),
  cancelled: new vscode.ThemeIcon('circle-slash'),
  'timed-out': new vscode.ThemeIcon('watch', new vscode.ThemeColor('testing.iconFailed')),
  lost: new vscode.ThemeIcon('warning'),
};

/** Agent jobs by what they do now, with a badge for those that have not ended. */
export class JobsTree extends ConnectionTree<JobNode> {
  constructor(current: CurrentConnection) {
    super(current, jobsViewId);
    this.every(lookEveryMs, () => this.#tellTimes());
  }

  getParent(node: JobNode): JobNode | undefined {
    const job = node.kind === 'job' ? this.current.connection?.jobs.find(node.id) : undefined;
    return job === undefined ? undefined : this.node({ kind: 'group', group: groupOf(job.state) });
  }

  getChildren(node?: JobNode): JobNode[] {
    const jobs = this.current.connection?.jobs.list ?? [];
    const inGroup = (group: JobGroup): readonly Job[] => jobs.filter(({ state }) => groupOf(state) === group);
    if (node === undefined) {
      return groups.filter((group) => inGroup(group).length > 0).map((group) => this.node({ kind: 'group', group }));
    }
    if (node.kind === 'job') return [];
    const found = inGroup(node.group).map(({ id }) => this.node({ kind: 'job', id }));
    // Of what waits, the next one comes first.
    return node.group === 'waiting' ? found.reverse() : found;
  }

  getTreeItem(node: JobNode): vscode.TreeItem {
    if (node.kind === 'group') {
      const item = new vscode.TreeItem(groupTitles[node.group], vscode.TreeItemCollapsibleState.Expanded);
      item.id = `group ${node.group}`;
      item.contextValue = `group+${node.group}`;
      return item;
    }
    const job = this.current.connection?.jobs.find(node.id);
    return job === undefined ? new vscode.TreeItem('') : jobItem(job, node);
  }

  /** The prompt and the agent are asked for when somebody looks. */
  async resolveTreeItem(item: vscode.TreeItem, node: JobNode): Promise<vscode.TreeItem> {
    const { connection } = this.current;
    if (node.kind !== 'job' || connection === undefined) return item;
    const { job, prompt, command, notes, changes } = await connection.api.call('readJob', { params: { id: node.id } });
    const tooltip = new vscode.MarkdownString();
    const line = (text: string): unknown => tooltip.appendText(`${text}\n`);
    line(`${job.thread}: ${stateInWords(job)}`);
    line(vscode.l10n.t('Agent: {0}', command.join(' ')));
    for (const text of [job.detail ?? '', changesInWords(job) ?? '', ...notes].filter(Boolean)) line(text);
    for (const { id, subject } of changes?.commits ?? []) line(`${id.slice(0, 12)} ${subject}`);
    tooltip.appendCodeblock(prompt, 'text');
    item.tooltip = tooltip;
    return item;
  }

  async reveal(id: string): Promise<void> {
    if (this.view.visible) await this.view.reveal(this.node({ kind: 'job', id }), { select: true });
  }

  protected follow({ jobs }: Connection): vscode.Disposable[] {
    return [jobs.onDidChange(() => this.show())];
  }

  protected look(): void {
    this.current.connection?.jobs.refreshSoon();
  }

  #tellTimes(): void {
    if (!this.view.visible) return;
    // Only these rows: what somebody does with another one must not lose it.
    for (const { id } of this.current.connection?.jobs.unfinished ?? []) {
      this.refresh(this.node({ kind: 'job', id }));
    }
  }

  protected override show(): void {
    const count = this.current.connection?.jobs.unfinished.length ?? 0;
    const tooltip = count === 1 ? vscode.l10n.t('1 job runs or waits') : vscode.l10n.t('{0} jobs run or wait', count);
    this.view.badge = count === 0 ? undefined : { value: count, tooltip };
    this.refresh();
  }
}

function jobItem(job: Job, node: JobNode): vscode.TreeItem {
  const { state, thread, id } = job;
  const nowMs = Date.now();
  const isEnded = isEndedJobState(state);
  const item = new vscode.TreeItem(asPlainText(job.title));
  const ran = durationInWords(job, nowMs);
  const changes = changesInWords(job);
  const facts = [
    thread,
    stateInWords(job),
    ...(ran === undefined ? [] : [ran]),
    ...(changes === undefined ? [] : [changes]),
    ...(isEnded && job.endedMs !== null ? [timeText(job.endedMs, nowMs)] : []),
  ];
  item.id = `job ${id}`;
  item.description = asPlainText(facts.join(', '));
  item.iconPath = icons[state];
  item.contextValue = `job+${isEnded ? 'ended' : 'unfinished'}${changes === undefined ? '' : '+changes'}`;
  item.command = { command: 'spoon.job.showLog', title: vscode.l10n.t('Show Log'), arguments: [node] };
  item.accessibilityInformation = { label: asPlainText([job.title, ...facts].join(', ')) };
  return item;
}
