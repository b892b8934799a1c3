import { type ErrorCode, SpoonError } from '../protocol/errors.ts';

/** Exit codes of sysexits.h(3), so that a unit file can tell "fix the settings" from "try again". */
const exitCodes: Partial<Record<ErrorCode, number>> = {
  'config-invalid': 78,
  'key-missing': 78,
  'key-invalid': 78,
  'key-wrong': 78,
  'key-unavailable': 78,
  'schema-newer': 78,
  'workdir-locked': 75,
  'store-busy': 75,
  'workdir-unwritable': 73,
  'insufficient-storage': 73,
  'listen-failed': 69,
  'engine-unavailable': 69,
  'integrity-failure': 65,
  'backup-invalid': 65,
  'workdir-not-empty': 73,
};

const softwareError = 70;

export function exitCodeOf(error: unknown): number {
  return (error instanceof SpoonError ? exitCodes[error.code] : undefined) ?? softwareError;
}
