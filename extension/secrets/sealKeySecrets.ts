import type * as vscode from 'vscode';
import type { SealKeyPins } from '../../client/sealing.ts';

/**
 * The keys that services showed first, in VS Code's secret store: they are public, but nobody else may change them. A store
 * that loses them, as some do without a keyring, takes the next key as a first one.
 */
export class SealKeySecrets implements SealKeyPins {
  readonly #secrets: vscode.SecretStorage;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = secrets;
  }

  async get(name: string): Promise<string | undefined> {
    return await this.#secrets.get(keyOf(name));
  }

  async set(name: string, key: string): Promise<void> {
    await this.#secrets.store(keyOf(name), key);
  }
}

function keyOf(name: string): string {
  return `spoon.sealKey:${name}`;
}
