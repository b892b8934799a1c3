/**
 * What looks like a key, token or password in a dotfile: the rules behind one calm hint, never behind a refusal. Pure, the
 * same in VS Code and in spoonctl. docs/decisions/0100-secret-rules.md says why they are our own.
 */

export interface SecretFinding {
  /** Stable, for a program. */
  readonly rule: string;
  /** For a person: `a private key`, `a GitHub token`. */
  readonly what: string;
  /** From 1. */
  readonly line: number;
  /** Where the value is in the text, in UTF-16 code units. A finding never quotes what it found. */
  readonly start: number;
  readonly end: number;
}

interface Rule {
  readonly rule: string;
  readonly what: string;
  readonly pattern: RegExp;
  /** Paths it is for; without it all. */
  readonly path?: RegExp;
  /** The value is in group 1 and must not look like a placeholder, a path or a plain word. */
  readonly weighed?: true;
}

/** No two quantifiers that can match the same text follow each other: every rule is linear in the length of a line. */
const rules: readonly Rule[] = [
  {
    rule: 'private-key',
    what: 'a private key',
    pattern: /-----BEGIN (?:[A-Z0-9]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----/,
  },
  { rule: 'putty-key', what: 'a private key of PuTTY', pattern: /^PuTTY-User-Key-File-\d: / },
  { rule: 'age-key', what: 'a private key of age', pattern: /\bAGE-SECRET-KEY-1[0-9A-Z]{50,}/ },
  { rule: 'github', what: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})/ },
  { rule: 'gitlab', what: 'a GitLab token', pattern: /\bgl(?:pat|ptt|rt|dt|ft|soat|agent)-[A-Za-z0-9_-]{20,}/ },
  { rule: 'npm', what: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}/ },
  { rule: 'pypi', what: 'a PyPI token', pattern: /\bpypi-AgE[A-Za-z0-9_-]{50,}/ },
  { rule: 'docker', what: 'a Docker token', pattern: /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/ },
  { rule: 'aws', what: 'an AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/ },
  { rule: 'google', what: 'a Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}/ },
  {
    rule: 'slack',
    what: 'a Slack token',
    pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com\/services\/T[A-Z0-9]+\/B[A-Za-z0-9/]*/,
  },
  { rule: 'stripe', what: 'a Stripe key', pattern: /\b[rs]k_live_[A-Za-z0-9]{16,}/ },
  {
    rule: 'ai',
    what: 'a key of an AI service',
    pattern: /\b(?:sk-(?:proj-|ant-|svcacct-|or-)?[A-Za-z0-9_-]{32,}|hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{40,})/,
  },
  { rule: 'vault', what: 'a Vault token', pattern: /\bhv[sbr]\.[A-Za-z0-9_-]{24,}/ },
  { rule: 'digitalocean', what: 'a DigitalOcean token', pattern: /\bdo[opr]_v1_[0-9a-f]{64}/ },
  { rule: 'sendgrid', what: 'a SendGrid key', pattern: /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/ },
  { rule: 'shopify', what: 'a Shopify token', pattern: /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}/ },
  { rule: 'linear', what: 'a Linear key', pattern: /\blin_api_[A-Za-z0-9]{32,}/ },
  { rule: 'spoon', what: 'a Spoon token', pattern: /\bspn_[a-z]_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}/ },
  {
    rule: 'jwt',
    what: 'a signed token',
    pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}/,
  },
  {
    rule: 'url-password',
    what: 'a password in an address',
    pattern: /\b[a-z][a-z0-9+.-]{1,12}:\/\/[^\s:/@'"]{1,64}:([^\s:/@'"]{6,})@/i,
    weighed: true,
  },
  {
    rule: 'netrc',
    what: 'a password',
    pattern: /\bpassword\s{1,8}("[^"]+"|\S{4,})/,
    path: /(?:^|\/)[._]netrc$/,
    weighed: true,
  },
  {
    rule: 'pgpass',
    what: 'a password',
    pattern: /^[^#:\n]{1,200}:[^:\n]{1,20}:[^:\n]{1,200}:[^:\n]{1,200}:(\S{4,})$/,
    path: /(?:^|\/)\.pgpass$/,
    weighed: true,
  },
];

/** `DB_PASSWORD=…`, `"auth": "…"`, `api-key: …`, `set -x TOKEN …`, `:_authToken=…` */
const secretName =
  /(?:^|[^A-Za-z0-9])(?:[A-Za-z0-9_.-]{0,40}[_.-])?(?:secret|token|auth|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|authtoken|credentials?)(?:[_-](?:id|key|value))?["']?\s{0,4}(?:=|:|=>|\s)\s{0,4}(["']?)([^\s"'#;,<>(){}]{12,512})/gi;
const maxScanned = 1024 * 1024;
const maxLine = 4096;
const maxFindings = 100;
const minEntropy = 3;

/** What a file says about secrets; nothing for one that is not text. Looks at the first MiB, and 4 KiB of each line. */
export function findSecrets(path: string, bytes: Uint8Array): SecretFinding[] {
  const head = bytes.subarray(0, maxScanned);
  // As git tells text from binary.
  if (head.subarray(0, 8000).includes(0)) return [];
  const text = new TextDecoder().decode(head);
  const findings: SecretFinding[] = [];
  let start = 0;
  let line = 1;
  for (; start <= text.length && findings.length < maxFindings; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const found = findInLine(path, text.slice(start, Math.min(end, start + maxLine)).replace(/\r$/, ''));
    if (found !== undefined) {
      const { rule, what, at, length } = found;
      findings.push({ rule, what, line, start: start + at, end: start + at + length });
    }
    start = end + 1;
  }
  return findings;
}

interface Found {
  readonly rule: string;
  readonly what: string;
  readonly at: number;
  readonly length: number;
}

/** The first rule that applies: two names for one secret would be two hints. */
function findInLine(path: string, line: string): Found | undefined {
  for (const { rule, what, pattern, path: only, weighed } of rules) {
    if (only !== undefined && !only.test(path)) continue;
    const match = pattern.exec(line);
    if (match === null) continue;
    if (weighed && isPlaceholder(match[1] ?? '')) continue;
    const value = weighed ? (match[1] ?? '') : match[0];
    return { rule, what, at: match.index + match[0].lastIndexOf(value), length: value.length };
  }
  for (const match of line.matchAll(secretName)) {
    const value = match[2] ?? '';
    if (isPlaceholder(value) || !looksRandom(value)) continue;
    return {
      rule: 'assignment',
      what: 'a password or token',
      at: match.index + match[0].length - value.length,
      length: value.length,
    };
  }
  return undefined;
}

/** A reference to where the secret is, or a word in its place. */
function isPlaceholder(value: string): boolean {
  return (
    /^["']?(?:\$|%|<|\{\{|`|\*|~|\/|\.\.?\/)/.test(value) ||
    /^(?:https?|file|ssh|unix|op|pass|keyring|env):/i.test(value) ||
    /your|example|change.?me|placeholder|replace|redacted|dummy|xxxx|\.\.\./i.test(value) ||
    /^(.)\1+$/.test(value)
  );
}

/** Letters with digits or signs among them, and as many different ones as a generated secret has. */
function looksRandom(value: string): boolean {
  const isPath =
    value.includes('/') &&
    !/[+=]/.test(value) &&
    value.split('/').every((part) => /^[\w.-]*$/.test(part) && part.length < 16);
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/].filter((kind) => kind.test(value)).length;
  return !isPath && kinds >= 2 && /[0-9]/.test(value) && entropyOf(value) >= minEntropy;
}

/** Shannon's, in bits per character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
