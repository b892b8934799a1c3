/**
 * The agent's command as a template: words as a shell would split them, placeholders filled in afterwards, so that whatever a
 * prompt holds stays one argument. No shell ever sees it.
 */

const placeholders = ['dir', 'prompt', 'spoon', 'branch', 'job'] as const;
export type AgentCommandValues = Readonly<Record<(typeof placeholders)[number], string>>;

/**
 * The box is the sandbox: codex's own needs user namespaces, which no box allows, and without it none of its commands would run
 * (decision 0180). `--`: a prompt that begins with a dash, or is called like a subcommand, is a prompt all the same.
 */
export const defaultAgentCommand = 'codex exec --sandbox danger-full-access --cd {dir} -- {prompt}';

/**
 * Splits at white space; quotes ('…', "…") and a backslash keep what they enclose, and mean nothing else.
 * @throws AgentCommandError with what is accepted
 */
export function parseAgentCommand(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === '\\' && quote !== "'") {
      at++;
      if (at === text.length) throw new AgentCommandError('words without a backslash at the end');
      word = (word ?? '') + text.charAt(at);
    } else if (quote !== undefined) {
      if (letter === quote) quote = undefined;
      else word += letter;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      word ??= '';
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + letter;
  }
  if (quote !== undefined) throw new AgentCommandError('words with every quote closed');
  if (word !== undefined) words.push(word);
  check(words);
  return words;
}

/** Each placeholder once, from left to right: what a value holds is not looked at again. */
export function fillAgentCommand(command: readonly string[], values: AgentCommandValues): string[] {
  return command.map((word) =>
    word.replaceAll(/\{(\w+)\}/g, (whole, name: string) => (isPlaceholder(name) ? values[name] : whole)),
  );
}

function check(words: readonly string[]): void {
  const [program] = words;
  if (program === undefined || program === '') throw new AgentCommandError('a program and its arguments');
  if (program.includes('{')) throw new AgentCommandError('a program that is no placeholder');
  if (words.some((word) => word.includes('\0'))) throw new AgentCommandError('words without a NUL');
  const used = words.flatMap((word) => [...word.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name));
  const unknown = used.find((name) => !isPlaceholder(name));
  const known = placeholders.map((name) => `{${name}}`).join(' ');
  if (unknown !== undefined) throw new AgentCommandError(`no other placeholders than ${known}`);
  if (!used.includes('prompt')) throw new AgentCommandError('a command with {prompt} in it');
}

function isPlaceholder(name: string): name is keyof AgentCommandValues {
  return (placeholders as readonly string[]).includes(name);
}

/** What a command would have to be, in words that go on after "Accepted:". */
export class AgentCommandError extends Error {
  override readonly name = 'AgentCommandError';
}
