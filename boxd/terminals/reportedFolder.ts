import { hostname } from 'node:os';

const maxPathLength = 4096;

/**
 * The folder in a report of a shell: `file://host/path` of OSC 7, percent-encoded, or `P;Cwd=/path` of VS Code's shell
 * integration (OSC 633), which writes `\`, `;` and controls as `\xHH`. Undefined for anything else, such as one that is no
 * absolute path, or of another host.
 */
export function reportedFolder(value: string): string | undefined {
  const cwd = value.startsWith('P;Cwd=') ? unescaped(value.slice('P;Cwd='.length)) : fromUrl(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the reason to refuse it
  if (cwd === undefined || !cwd.startsWith('/') || cwd.length > maxPathLength || /[\0-\x1f\x7f]/.test(cwd))
    return undefined;
  return cwd;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(\\|x([0-9a-fA-F]{2}))/g, (_, whole: string, hex: string | undefined) =>
    hex === undefined ? whole : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function fromUrl(value: string): string | undefined {
  const [, host = '', path] = /^file:\/\/([^/]*)(\/.*)$/.exec(value) ?? [];
  if (path === undefined || !['', 'localhost', hostname()].includes(host)) return undefined;
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
