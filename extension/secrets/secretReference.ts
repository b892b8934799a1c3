import { checkEnvName } from '../../protocol/envName.ts';
import type { SecretFinding } from '../../protocol/secretRules.ts';

/**
 * How a value leaves a dotfile and a reference by name takes its place. Pure; docs/decisions/0185-move-to-secrets.md has the why.
 * What is taken is put back by the reference as it was, so taking a little more than a rule has found is harmless, and taking less
 * would leave a part of the secret behind.
 */

/** `npmrc` puts in `${NAME}` itself; `other` has no variables that Spoon knows of. */
export type Syntax = 'sh' | 'fish' | 'npmrc' | 'other';

export interface Takeable {
  readonly value: string;
  /** A name that a variable may have; from what it is assigned to, else from what it looks like. */
  readonly suggestedName: string;
}

/** What stands in the place of a value: a reference in the file's own syntax, or a text as it is. */
export type Replacement = { readonly name: string } | { readonly text: string };

const shellNames =
  /^\.?(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|zlogout|kshrc|mkshrc|shrc|envrc|aliases|exports|functions|extra|path|xprofile|xinitrc|xsession|xsessionrc)$/;

export function syntaxOf(path: string, text: string): Syntax {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.fish$/.test(name) || /^#!.*\bfish\b/.test(text)) return 'fish';
  if (shellNames.test(name) || /\.(?:sh|bash|zsh|ksh)$/.test(name)) return 'sh';
  if (/^#!\s*\S*\/(?:env\s+)?(?:ba|z|k|da|mk)?sh\b/.test(text)) return 'sh';
  return name === '.npmrc' ? 'npmrc' : 'other';
}

/** A key of several lines is a file of its own, which no reference can stand for. */
const wholeFiles: ReadonlySet<string> = new Set(['private-key', 'putty-key']);

/** Undefined: it is no value by itself, or is put together from parts. */
export function takeable(path: string, text: string, finding: SecretFinding): Takeable | undefined {
  if (wholeFiles.has(finding.rule)) return undefined;
  const value = literalAt(text, finding, syntaxOf(path, text));
  if (value === undefined || value === '') return undefined;
  return { value, suggestedName: suggestName(path, lineBefore(text, finding.start), finding.rule) };
}

/**
 * The text with the replacement wherever the value is.
 * @returns undefined where it is in a place that no reference can be in
 */
export function replaceValue(
  text: string,
  value: string,
  { syntax, by }: { syntax: Syntax; by: Replacement },
): string | undefined {
  let result = '';
  let done = 0;
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, done)) {
    const edit =
      'text' in by ? { before: 0, after: 0, text: by.text } : reference(text, { at, value, syntax }, by.name);
    if (edit === undefined) return undefined;
    result += text.slice(done, at - edit.before) + edit.text;
    done = at + value.length + edit.after;
  }
  return result + text.slice(done);
}

interface Edit {
  /** Characters around the value that go with it. */
  readonly before: number;
  readonly after: number;
  readonly text: string;
}

function reference(
  text: string,
  { at, value, syntax }: { at: number; value: string; syntax: Syntax },
  name: string,
): Edit | undefined {
  if (syntax === 'other') return undefined;
  if (syntax === 'npmrc') return { before: 0, after: 0, text: `\${${name}}` };
  const next = text[at + value.length] ?? '';
  const quoted = `"$${name}"`;
  switch (quotingAt(lineBefore(text, at))) {
    case 'none':
      return { before: 0, after: 0, text: quoted };
    case 'double': {
      if (!/[A-Za-z0-9_[]/.test(next)) return { before: 0, after: 0, text: `$${name}` };
      return { before: 0, after: 0, text: syntax === 'fish' ? `{$${name}}` : `\${${name}}` };
    }
    case 'single': {
      const isWhole = text[at - 1] === "'" && next === "'";
      return isWhole ? { before: 1, after: 1, text: quoted } : { before: 0, after: 0, text: `'${quoted}'` };
    }
    case 'ansi-c':
      return undefined;
  }
}

type Quoting = 'none' | 'single' | 'double' | 'ansi-c';

/** How a shell reads what follows on this line. A string that began on an earlier line is not known. */
function quotingAt(before: string): Quoting {
  let quoting: Quoting = 'none';
  for (let index = 0; index < before.length; index++) {
    const character = before[index];
    if (quoting === 'none') {
      if (character === '\\') index++;
      else if (character === '"') quoting = 'double';
      else if (character === "'") quoting = before[index - 1] === '$' ? 'ansi-c' : 'single';
      // An apostrophe in a comment opens nothing.
      else if (character === '#' && (index === 0 || /\s/.test(before[index - 1] ?? ''))) return 'none';
    } else if (character === '\\' && quoting !== 'single') index++;
    else if (character === (quoting === 'double' ? '"' : "'")) quoting = 'none';
  }
  return quoting;
}

function literalAt(text: string, { rule, start, end }: SecretFinding, syntax: Syntax): string | undefined {
  const lineEnd = text.indexOf('\n', start);
  const line = text.slice(start, lineEnd === -1 ? text.length : lineEnd).replace(/\r$/, '');
  const found = line.slice(0, end - start);
  if (/^"[^"]+"$/.test(found)) return found.slice(1, -1);
  const isShell = syntax === 'sh' || syntax === 'fish';
  const quote = isShell
    ? quoteOf(quotingAt(lineBefore(text, start)))
    : (/["']$/.exec(lineBefore(text, start))?.[0] ?? '');
  if (quote === undefined) return undefined;
  // Up to where the string or the word ends.
  const rest = quote === '' ? (/^[^\s"'`;&|<>(){},#]+/.exec(line)?.[0] ?? '') : line.slice(0, closing(line, quote));
  const isOpen = quote === '' && /^["'`]/.test(line.slice(rest.length));
  const value = rule === 'url-password' ? found : takesRest(rule, quote) ? rest : longer(rest, found.length);
  if (isOpen && isShell && value.length === rest.length) return undefined;
  if (value.length < found.length) return undefined;
  // In single quotes everything is what it is.
  return quote !== "'" && /[\\$`]/.test(value) ? undefined : value;
}

/** What a name is given is the whole string; a token of a known form may be a part of it. */
function takesRest(rule: string, quote: string): boolean {
  return rule === 'assignment' && quote !== '';
}

/** A found token and what of its characters follows. */
function longer(rest: string, length: number): string {
  return rest.slice(0, length) + (/^[A-Za-z0-9_.+=~/-]*/.exec(rest.slice(length))?.[0] ?? '');
}

function quoteOf(quoting: Quoting): string | undefined {
  return { none: '', single: "'", double: '"', 'ansi-c': undefined }[quoting];
}

function closing(line: string, quote: string): number {
  for (let index = 0; index < line.length; index++) {
    if (line[index] === '\\' && quote === '"') index++;
    else if (line[index] === quote) return index;
  }
  return line.length;
}

function lineBefore(text: string, at: number): string {
  return text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
}

const namesByRule: Readonly<Record<string, string>> = {
  github: 'GITHUB_TOKEN',
  gitlab: 'GITLAB_TOKEN',
  npm: 'NPM_TOKEN',
  pypi: 'PYPI_TOKEN',
  docker: 'DOCKER_TOKEN',
  aws: 'AWS_ACCESS_KEY_ID',
  google: 'GOOGLE_API_KEY',
  slack: 'SLACK_TOKEN',
  stripe: 'STRIPE_KEY',
  ai: 'AI_API_KEY',
  vault: 'VAULT_TOKEN',
  netrc: 'NETRC_PASSWORD',
  pgpass: 'PGPASSWORD',
  'url-password': 'PASSWORD',
};

function suggestName(path: string, before: string, rule: string): string {
  if (syntaxOf(path, '') === 'npmrc') return 'NPM_TOKEN';
  const assigned = /([A-Za-z_][A-Za-z0-9_.-]*)["']?\s*(?:=>|=|:|\s)\s*["']?$/.exec(before)?.[1];
  const name = assigned?.toUpperCase().replaceAll(/[.-]/g, '_') ?? '';
  // `password x` in .netrc and `-H Bearer x` name nothing.
  const isName = rule === 'assignment' || (rule !== 'url-password' && /[=:]\s*["']?$/.test(before));
  for (const candidate of [isName ? name : '', namesByRule[rule] ?? '']) {
    if (isFree(candidate)) return candidate;
  }
  return 'TOKEN';
}

function isFree(name: string): boolean {
  try {
    checkEnvName(name);
    return true;
  } catch {
    return false;
  }
}
