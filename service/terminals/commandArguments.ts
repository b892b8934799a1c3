import { SpoonError } from '../../protocol/errors.ts';
import { maxArgumentBytes } from '../../protocol/limits.ts';

/** What execve(2) would not take, refused before a box is started for it. @throws SpoonError `command-invalid` */
export function checkArguments(argv: readonly string[]): void {
  if (argv[0] === undefined || argv[0] === '') throw new SpoonError('command-invalid', 'The command is empty.');
  if (argv.some((argument) => argument.includes('\0') || !argument.isWellFormed())) {
    throw new SpoonError('command-invalid', 'An argument holds a NUL or is not valid text.');
  }
  const bytes = argv.reduce((sum, argument) => sum + Buffer.byteLength(argument) + 1, 0);
  if (bytes > maxArgumentBytes) {
    throw new SpoonError('command-invalid', `The arguments are longer than ${maxArgumentBytes} bytes; use stdin.`);
  }
}
