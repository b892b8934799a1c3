import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import type { Secret, SetSecretResult } from '../../protocol/secrets.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { askNewSecret } from './newSecret.ts';
import { askAppearance, askSpoon, askValue, type Place } from './secretQuestions.ts';
import type { SecretNode, SecretsTree } from './secretsTree.ts';
import { placeInWords, shellsInWords } from './secretWords.ts';
import type { SecretWriter } from './secretWriter.ts';

interface SecretItem extends vscode.QuickPickItem {
  readonly secret: Secret;
}

/** The commands of the Secrets view; without a node they ask which secret is meant. */
export class SecretCommands {
  readonly #current: CurrentConnection;
  readonly #tree: SecretsTree;
  readonly #writer: SecretWriter;

  constructor({ current, tree, writer }: { current: CurrentConnection; tree: SecretsTree; writer: SecretWriter }) {
    this.#current = current;
    this.#tree = tree;
    this.#writer = writer;
  }

  async create(): Promise<void> {
    const connection = await this.listed();
    const wanted = await askNewSecret(connection);
    const known = connection.secrets.find(wanted.name, wanted.spoon);
    if (known !== undefined && !(await isReplacementMeant(known))) return;
    const result = await this.#writer.store(connection, wanted);
    tellSet(result);
    await this.#tree.reveal(result.secret);
  }

  async replace(node?: SecretNode): Promise<void> {
    const connection = await this.listed();
    const secret = await this.#secret(connection, node, vscode.l10n.t('Replace Secret Value'));
    if (secret === undefined) return;
    const place = { title: vscode.l10n.t('Replace Secret Value'), step: 1, totalSteps: 1 };
    const answer = await askValue(place, secret.name);
    if (answer === 'back') return;
    const { name, spoon } = secret;
    tellSet(await this.#writer.store(connection, { name, spoon, value: answer.value }));
  }

  /** The value is sealed for its spoon, so that another spoon needs it once more. */
  async changeScope(node?: SecretNode): Promise<void> {
    const connection = await this.listed();
    const secret = await this.#secret(connection, node, vscode.l10n.t('Change Secret Scope'));
    if (secret === undefined) return;
    const spoons = connection.threads.spoons.map(({ name }) => name);
    const asksSpoon = spoons.length > 0 || secret.spoon !== null;
    const place = (step: number): Place => ({
      title: vscode.l10n.t('Change Secret Scope'),
      step,
      totalSteps: asksSpoon ? 2 : 1,
    });
    const { name } = secret;
    for (;;) {
      const appearance = await askAppearance(place(1), { name, before: secret, file: false });
      if (appearance === 'back') continue;
      const answer = asksSpoon ? await askSpoon(place(2), { spoons, before: secret.spoon }) : { spoon: secret.spoon };
      if (answer === 'back') continue;
      const changed = { ...secret, scopes: appearance.scopes, spoon: answer.spoon };
      if (answer.spoon === secret.spoon) await this.#setScopes(connection, changed);
      else await this.#moveTo(connection, secret, changed);
      return;
    }
  }

  async delete(node?: SecretNode): Promise<void> {
    const connection = await this.listed();
    const secret = await this.#secret(connection, node, vscode.l10n.t('Delete Secret'));
    if (secret === undefined) return;
    const remove = vscode.l10n.t('Delete');
    const question = vscode.l10n.t('Delete the secret {0}, in {1}?', secret.name, placeInWords(secret));
    const detail = vscode.l10n.t('Its value cannot be brought back. Open shells keep what they have.');
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, remove)) !== remove) return;
    await connection.secrets.remove(secret);
    vscode.window.setStatusBarMessage(vscode.l10n.t('{0} was deleted', secret.name), 5000);
  }

  async copyName(node?: SecretNode): Promise<void> {
    const connection = await this.listed();
    const secret = await this.#secret(connection, node, vscode.l10n.t('Copy Secret Name'));
    if (secret === undefined) return;
    await vscode.env.clipboard.writeText(secret.name);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Copied {0}', secret.name), 3000);
  }

  async refresh(): Promise<void> {
    const { secrets, threads } = this.#current.require();
    await Promise.all([secrets.refresh(), threads.refresh()]);
  }

  async #setScopes({ api, secrets }: Connection, { name, spoon, scopes }: Pick<Secret, 'name' | 'spoon'> & Places) {
    const body = { scopes: [...scopes], ...(spoon === null ? {} : { spoon }) };
    const result = await api.call('setSecret', { params: { name }, body });
    secrets.put(result.secret);
    tellSet(result);
  }

  async #moveTo(connection: Connection, from: Secret, to: Pick<Secret, 'name' | 'spoon'> & Places): Promise<void> {
    const known = connection.secrets.find(to.name, to.spoon);
    if (known !== undefined && !(await isReplacementMeant(known))) return;
    const title = vscode.l10n.t('{0}: a value is sealed for its spoon, so give it once more', from.name);
    const answer = await askValue({ title, step: 1, totalSteps: 1 }, from.name);
    if (answer === 'back') return;
    const { name, spoon, scopes } = to;
    const result = await this.#writer.store(connection, {
      name,
      spoon,
      scopes,
      file: from.file,
      value: answer.value,
    });
    await connection.secrets.remove(from);
    tellSet(result);
  }

  async #secret(connection: Connection, node: SecretNode | undefined, title: string): Promise<Secret | undefined> {
    const { secrets } = connection;
    if (node?.kind === 'secret') return secrets.find(node.name, node.spoon);
    const items = secrets.list.map(
      (secret): SecretItem => ({
        label: secret.name,
        description: placeInWords(secret),
        iconPath: new vscode.ThemeIcon('key'),
        secret,
      }),
    );
    if (items.length === 0) {
      const make = vscode.l10n.t('New Secret…');
      const answer = await vscode.window.showInformationMessage(vscode.l10n.t('There are no secrets yet.'), make);
      if (answer === make) await vscode.commands.executeCommand('spoon.secrets.new');
      return undefined;
    }
    return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.secret;
  }

  /** The service answers and has told the names. @throws SpoonError */
  async listed(): Promise<Connection> {
    const connection = this.#current.require();
    connection.requireReachable();
    await requireSecrets(connection);
    return connection;
  }
}

interface Places {
  readonly scopes: Secret['scopes'] | readonly Secret['scopes'][number][];
}

/** The list is there. @throws SpoonError `insufficient-scope`, `not-found` with what to do */
async function requireSecrets({ secrets, host }: Connection): Promise<void> {
  if (secrets.access !== 'listed') await secrets.refresh();
  if (secrets.access === 'older') {
    throw new SpoonError(
      'insufficient-scope',
      'This sign-in is older than secrets. Sign in with a new token: "spoonctl tokens create" or "npm run up" makes one.',
    );
  }
  if (secrets.access === 'absent') throw new SpoonError('not-found', `${host} is older than secrets. Update it.`);
}

async function isReplacementMeant(secret: Secret): Promise<boolean> {
  const replace = vscode.l10n.t('Replace Value');
  const question = vscode.l10n.t(
    'There is a secret {0}, in {1}. Replace its value?',
    secret.name,
    placeInWords(secret),
  );
  const detail = vscode.l10n.t('The value that it has cannot be brought back.');
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, replace)) === replace;
}

function tellSet({ secret, olderTerminals }: SetSecretResult): void {
  const { name } = secret;
  if (olderTerminals.length === 0) {
    const text = vscode.l10n.t('{0} is in {1} from the next one on', name, placeInWords(secret));
    vscode.window.setStatusBarMessage(text, 5000);
    return;
  }
  const open = vscode.l10n.t('Open Terminal…');
  const shells = shellsInWords(olderTerminals.length);
  const text = vscode.l10n.t('{0} is set. {1} than this value; new ones have it.', name, shells);
  void vscode.window.showInformationMessage(text, open).then((answer) => {
    if (answer === open) return vscode.commands.executeCommand('spoon.openThreadTerminal');
    return undefined;
  });
}

export function secretNodeOf(argument: unknown): SecretNode | undefined {
  const isNode = typeof argument === 'object' && argument !== null && 'kind' in argument;
  return isNode && argument.kind === 'secret' ? (argument as SecretNode) : undefined;
}
