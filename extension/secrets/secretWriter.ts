import * as vscode from 'vscode';
import { type SealKeyPins, sealForService, trustSealKey } from '../../client/sealing.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxSecretBytes } from '../../protocol/limits.ts';
import type { SealedUse } from '../../protocol/sealedBox.ts';
import { type SecretScope, type SetSecretResult, secretUse } from '../../protocol/secrets.ts';
import type { Connection } from '../connection/connection.ts';

export interface SecretToStore {
  readonly name: string;
  readonly spoon: string | null;
  /** Overwritten with zeros. */
  readonly value: Uint8Array;
  /** Default: as before, and of a new one shells. */
  readonly scopes?: readonly SecretScope[];
  readonly file?: boolean;
}

/** The one way of a value out of this window: sealed for the service, and asked about when its key is another one. */
export class SecretWriter {
  readonly #pins: SealKeyPins;

  constructor(pins: SealKeyPins) {
    this.#pins = pins;
  }

  /** @throws SpoonError as the route; vscode.CancellationError when the key is another one and is not taken */
  async store(connection: Connection, secret: SecretToStore): Promise<SetSecretResult> {
    const { name, spoon, value, scopes, file } = secret;
    if (value.length === 0) throw new SpoonError('secret-invalid', 'The value is empty. Nothing was changed.');
    if (value.length > maxSecretBytes) {
      throw new SpoonError('body-too-large', `A secret may have ${maxSecretBytes / 1024} KiB. Nothing was sent.`);
    }
    const { api } = connection;
    const sealed = await this.seal(connection, secretUse(name, spoon), value);
    const body = {
      sealed,
      ...(spoon === null ? {} : { spoon }),
      ...(scopes === undefined ? {} : { scopes: [...scopes] }),
      ...(file === undefined ? {} : { file }),
    };
    const result = await api.call('setSecret', { params: { name }, body });
    connection.secrets.put(result.secret);
    return result;
  }

  /** @param value is overwritten with zeros @throws as {@link store} */
  async seal(connection: Connection, use: SealedUse, value: Uint8Array): Promise<string> {
    const { api, session } = connection;
    const sealer = { api, pins: this.#pins, username: session.username };
    const seal = (): Promise<string> => sealForService({ ...sealer, use, value });
    return this.#withTrust(connection, seal, (shown) => trustSealKey(sealer, shown));
  }

  async #withTrust<T>(
    { host }: Connection,
    seal: () => Promise<T>,
    trust: (publicKey: string) => Promise<unknown>,
  ): Promise<T> {
    try {
      return await seal();
    } catch (error) {
      if (!(error instanceof SpoonError) || error.code !== 'seal-key-changed') throw error;
      const keyId = String(error.extra.keyId);
      const use = vscode.l10n.t('Use the New Key');
      const question = vscode.l10n.t('{0} has another key for secrets than this computer has seen before.', host);
      const detail = vscode.l10n.t(
        'Nothing was sent. If you or an administrator made a new one (spoonctl secrets new-key shows {0}), use it. If nobody did, somebody may be between you and the service.',
        keyId,
      );
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, use)) !== use) {
        throw new vscode.CancellationError();
      }
      await trust(String(error.extra.publicKey));
      return await seal();
    }
  }
}
