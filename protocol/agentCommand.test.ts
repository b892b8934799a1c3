import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AgentCommandError, defaultAgentCommand, fillAgentCommand, parseAgentCommand } from './agentCommand.ts';

const values = {
  dir: '/home/ada/Code/api/main',
  prompt: 'fix {dir} "$(id)"',
  spoon: 'api',
  branch: 'feat/x',
  job: 'j',
};

describe('the command of an agent', () => {
  it('is split into words as people quote them', () => {
    const table: [string, string[]][] = [
      [defaultAgentCommand, ['codex', 'exec', '--sandbox', 'danger-full-access', '--cd', '{dir}', '--', '{prompt}']],
      ['claude  -p\t{prompt}', ['claude', '-p', '{prompt}']],
      [`a 'b c' "d \\" e" f\\ g '' {prompt}`, ['a', 'b c', 'd " e', 'f g', '', '{prompt}']],
      [`a --x='1 2'"3" '\\' {prompt}`, ['a', '--x=1 23', '\\', '{prompt}']],
      ['a $HOME `id` ; {prompt}', ['a', '$HOME', '`id`', ';', '{prompt}']],
    ];
    for (const [text, words] of table) assert.deepEqual(parseAgentCommand(text), words);
  });

  it('gets each value into its place and looks at no value again', () => {
    const command = parseAgentCommand('agent --dir={dir} {spoon}/{branch} {job} {prompt}');
    assert.deepEqual(fillAgentCommand(command, values), [
      'agent',
      '--dir=/home/ada/Code/api/main',
      'api/feat/x',
      'j',
      'fix {dir} "$(id)"',
    ]);
    const tricky = { ...values, prompt: '$& $1 {prompt}' };
    assert.deepEqual(fillAgentCommand(['a', '{prompt}'], tricky), ['a', '$& $1 {prompt}']);
  });

  it('is refused with what would be accepted', () => {
    const table: [string, RegExp][] = [
      ['', /a program and its arguments/],
      ['   ', /a program and its arguments/],
      ["'' {prompt}", /a program and its arguments/],
      ['{prompt}', /no placeholder/],
      ['codex exec', /with \{prompt\} in it/],
      ['codex {prompt} {model}', /no other placeholders than \{dir\} \{prompt\}/],
      ["codex '{prompt}", /every quote closed/],
      ['codex {prompt} \\', /without a backslash at the end/],
      ['codex {prompt} \0', /without a NUL/],
    ];
    for (const [text, accepted] of table) {
      assert.throws(
        () => parseAgentCommand(text),
        (error) => error instanceof AgentCommandError && accepted.test(error.message),
        text,
      );
    }
  });
});
