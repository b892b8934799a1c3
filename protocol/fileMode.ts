import { SpoonError } from './errors.ts';

/** Permission bits only: set-user-id, set-group-id and sticky never enter a home through Spoon. */
const maxMode = 0o777;
export const defaultFileMode = 0o644;
export const defaultDirectoryMode = 0o755;

/** Three octal digits, or four with a leading zero: `644`, `0755`. @throws SpoonError `mode-invalid` */
export function parseFileMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new SpoonError('mode-invalid', 'Give three octal digits, such as 644 or 755.');
  return checkFileMode(Number.parseInt(text, 8));
}

/** @throws SpoonError `mode-invalid` for a mode that its owner could not read, or with other bits than 0777 */
export function checkFileMode(mode: number): number {
  if (!Number.isInteger(mode) || mode < 0 || mode > maxMode) throw new SpoonError('mode-invalid');
  if ((mode & 0o400) === 0) throw new SpoonError('mode-invalid', 'The owner must be able to read it.');
  return mode;
}

export function formatFileMode(mode: number): string {
  return mode.toString(8).padStart(3, '0');
}

const privateFolders = /^\.(?:ssh|gnupg|password-store|aws|kube)(?:\/|$)/;
/** Programs refuse some of these when others may read them, and hold passwords in the rest. */
const privateFiles =
  /(?:^|\/)(?:[._]netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.npmrc|\.pypirc|\.vault-token|\.Xauthority|\.msmtprc|\.fetchmailrc)$|^\.docker\/config\.json$|^\.config\/(?:gh\/hosts\.yml|git\/credentials|rclone\/rclone\.conf|age\/keys\.txt|sops\/age\/keys\.txt)$/;
const privateKeyHead =
  /^(?:-----BEGIN (?:[A-Z0-9]{2,10} ){0,3}PRIVATE KEY|PuTTY-User-Key-File-|# created: .{1,40}\n# public key: age1)/;
const headBytes = 256;

/**
 * The mode that people expect where none was given: private for keys and passwords, executable with a shebang.
 * @param head the content, or its first bytes
 */
export function expectedFileMode(path: string, head: Uint8Array): number {
  const isScript = head[0] === 0x23 && head[1] === 0x21;
  if (privateFolders.test(path) || privateFiles.test(path) || isPrivateKey(head)) {
    // What sshd runs it gives to a shell; other scripts in there have to be executable.
    return isScript && path !== '.ssh/rc' ? 0o700 : 0o600;
  }
  return isScript ? 0o755 : defaultFileMode;
}

export function expectedDirectoryMode(path: string): number {
  return privateFolders.test(path) ? 0o700 : defaultDirectoryMode;
}

/**
 * The mode of a file that comes from somebody's disk: its own, but never open to others where nobody expects that. A checkout
 * of a dotfiles repository has `.ssh/config` readable by all, since git keeps one bit of a mode.
 */
export function importedFileMode(path: string, head: Uint8Array, mode: number): number {
  const own = (mode & maxMode) | 0o400;
  return (expectedFileMode(path, head) & 0o077) === 0 ? own & 0o700 : own;
}

function isPrivateKey(head: Uint8Array): boolean {
  // Cheap first: a key begins with one of these.
  if (head[0] !== 0x2d && head[0] !== 0x50 && head[0] !== 0x23) return false;
  return privateKeyHead.test(String.fromCharCode(...head.subarray(0, headBytes)));
}
