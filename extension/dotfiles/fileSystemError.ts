import * as vscode from 'vscode';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import { failureText, isCancellation } from '../failure.ts';

/**
 * A failure in the words of VS Code's file system. VS Code shows it itself ("Failed to save '…': <text>"), so nothing
 * else may: the text has to say what to do.
 */
export function fileSystemError(error: unknown, uri: vscode.Uri): Error {
  if (error instanceof vscode.FileSystemError || isCancellation(error)) return error as Error;
  if (!(error instanceof SpoonError)) return vscode.FileSystemError.Unavailable(failureText(error));
  if (error.code === 'not-found') return vscode.FileSystemError.FileNotFound(uri);
  if (error.code === 'file-exists') return vscode.FileSystemError.FileExists(uri);
  const text = [failureText(error), advice[error.code]].filter(Boolean).join(' ');
  return noPermission.has(error.code)
    ? vscode.FileSystemError.NoPermissions(text)
    : vscode.FileSystemError.Unavailable(text);
}

const noPermission = new Set<ErrorCode>([
  'path-reserved',
  'path-not-managed',
  'insufficient-scope',
  'user-disabled',
  'path-kind-conflict',
]);

const keep = 'Your changes stay in the editor.';

const advice: Partial<Record<ErrorCode, string>> = {
  'service-unreachable': `${keep} Save again when the service is back.`,
  'service-answer-invalid': `${keep} Save again when the service is back.`,
  'service-incompatible': keep,
  'shutting-down': `${keep} Save again in a moment.`,
  'store-busy': `${keep} Save again in a moment.`,
  'too-many-requests': `${keep} Save again in a moment.`,
  unauthenticated: `${keep} Sign in and save again.`,
  'token-expired': `${keep} Sign in and save again.`,
  'version-stale': `${keep} Save again to compare.`,
  'version-required': `${keep} Save again to compare.`,
  'body-too-large': `${keep} Dotfiles may have up to 10 MiB.`,
  'insufficient-storage': `${keep} Somebody must make room on the service.`,
  'dotfile-limit': `${keep} Remove dotfiles that you do not need.`,
  'integrity-failure': 'An older version may be whole; ask whoever runs the service.',
  'key-unavailable': 'Ask whoever runs the service; nothing is lost.',
};
