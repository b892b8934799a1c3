import type { Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

/**
 * What a person has not yet looked at: a hand edit that was replaced in the home and kept as `drift_version`, made on top of
 * `drift_base`. And the files whose secrets their owner wants to hear nothing about.
 */
export const drift = {
  number: 2,
  name: 'drift',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema.alterTable('dotfiles').addColumn('drift_version', 'integer').execute();
    await schema.alterTable('dotfiles').addColumn('drift_base', 'integer').execute();
    await schema.alterTable('dotfiles').addColumn('secrets_silenced_ms', 'bigint').execute();
  },
};
