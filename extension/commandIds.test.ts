import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { commandIds } from './commandIds.ts';

interface KeyBinding {
  command: string;
  key: string;
  when?: string;
  /** Of `runCommands`. */
  args?: { commands: (string | { command: string; args?: string })[] };
}

interface Manifest {
  activationEvents: string[];
  contributes: {
    commands: { command: string; title: string; category: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    keybindings: KeyBinding[];
    viewsWelcome: { contents: string }[];
    walkthroughs: { steps: { description: string; completionEvents: string[] }[] }[];
    configuration: { properties: Record<string, { scope: string; default: unknown }> };
  };
}

const read = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../${name}`, import.meta.url), 'utf8'));
const manifest = (await read('package.json')) as Manifest;
const texts = (await read('package.nls.json')) as Record<string, string>;
const known = new Set<string>(commandIds);
const { contributes } = manifest;
/** Registered and not declared: `dotfiles/keyCommand.ts` says why. */
const byKey = 'spoon.dotfiles.byKey';

/** A key may run several commands after each other. */
function steps({ command, args }: KeyBinding): { command: string }[] {
  if (command !== 'runCommands' || args === undefined) return [{ command }];
  return args.commands.map((step) => (typeof step === 'string' ? { command: step } : step));
}

describe('the manifest', () => {
  it('declares exactly the commands that are registered', () => {
    assert.deepEqual(contributes.commands.map(({ command }) => command).sort(), [...commandIds].sort());
  });

  it('names only commands that exist, in menus, keys and texts', () => {
    const used = [...Object.values(contributes.menus).flat(), ...contributes.keybindings.flatMap(steps)]
      .map(({ command }) => command)
      .filter((command) => !command.startsWith('list.'));
    const written = [...JSON.stringify(texts).matchAll(/command:(spoon\.[\w.]+)/g)].map((match) => match[1] ?? '');
    const completions = contributes.walkthroughs
      .flatMap((walkthrough) => walkthrough.steps.flatMap(({ completionEvents }) => completionEvents))
      .filter((event) => event.startsWith('onCommand:'))
      .map((event) => event.slice('onCommand:'.length));
    const unknown = [...used, ...written, ...completions].filter(
      (id) => !known.has(id) && id !== 'spoon.dotfiles.focus' && id !== byKey,
    );
    assert.deepEqual(unknown, []);
  });

  it('has for each key of the tree two toggles and the command that the same key shows in menus', () => {
    const keys = contributes.keybindings.filter((binding) => steps(binding).some(({ command }) => command === byKey));
    assert.ok(keys.length > 0);
    for (const { key, args } of keys) {
      const shown = contributes.keybindings.filter((one) => one.key === key && one.when?.includes("'spoon.dotfiles'"));
      const [command] = shown.map((one) => one.command).filter((id) => id !== 'runCommands');
      assert.ok(known.has(command ?? ''), key);
      const toggle = 'list.toggleSelection';
      assert.deepEqual(args?.commands, [toggle, toggle, { command: byKey, args: command }], key);
    }
  });

  it('has a text for every %key%, and no text that nobody uses', () => {
    const used = new Set([...JSON.stringify(manifest).matchAll(/"%([^%"]+)%"/g)].map((match) => match[1] ?? ''));
    assert.deepEqual([...used].sort(), Object.keys(texts).sort());
  });

  it('says in the palette when each command can run', () => {
    const always = ['spoon.showLog', 'spoon.copyDiagnostics', 'spoon.openSettings', 'spoon.openWalkthrough'];
    const ruled = (contributes.menus.commandPalette ?? []).map(({ command }) => command);
    assert.deepEqual([...ruled, ...always].sort(), [...commandIds].sort());
  });

  it('offers at most 8 commands to somebody who is signed out', () => {
    const hidden = (contributes.menus.commandPalette ?? []).filter(({ when }) => when !== '!spoon.signedIn');
    assert.ok(commandIds.length - hidden.length <= 8);
  });

  it('takes nothing from a workspace that chooses a server, a certificate or what is uploaded', () => {
    const harmless = new Set([
      'spoon.terminal.restore',
      'spoon.terminal.location',
      'spoon.terminal.keepOpenOnExit',
      'spoon.thread.openIn',
      'spoon.jobs.notify',
    ]);
    for (const [key, { scope }] of Object.entries(contributes.configuration.properties)) {
      assert.equal(scope, harmless.has(key) ? 'window' : 'application', key);
    }
  });
});
