import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { managerOf } from './managedFolder.ts';

describe('managerOf', () => {
  const rows: [names: string[], manager: string | undefined][] = [
    [['.bashrc', '.config', 'README.md', '.git'], undefined],
    [['dot_bashrc', 'private_dot_ssh'], 'chezmoi'],
    [['.chezmoiignore', 'README.md'], 'chezmoi'],
    [['bash', 'vim', '.stow-local-ignore'], 'GNU Stow'],
    [['install.conf.yaml', 'bashrc'], 'Dotbot'],
    [['.bashrc', '.bashrc##os.Darwin'], 'yadm'],
    [['.vimrc##default'], 'yadm'],
    [['dotfiles.md', 'my_dot_notes', 'stow.txt'], undefined],
  ];
  for (const [names, manager] of rows) {
    it(`takes ${names.join(', ')} for ${manager ?? 'files as they are'}`, () => {
      assert.equal(managerOf(names)?.name, manager);
    });
  }
});
