import { SpoonError } from '../protocol/errors.ts';
import type { AuditEvent } from './audit/chain.ts';
import { type AuditTrail, byService } from './auditTrail.ts';
import type { BoxUser } from './boxes/boxes.ts';
import type { BoxHappening } from './boxes/boxHappening.ts';

/** Whoever or whatever started or ended a box: that it did. What a program in it can repeat is counted. */
export function noteBox(trail: AuditTrail, { userId, username }: BoxUser, happening: BoxHappening): void {
  const event = eventOf(username, happening);
  const isRepeated = happening.kind !== 'started' && happening.kind !== 'stopped';
  if (isRepeated) trail.fromWithin.note(`${happening.kind} ${userId} ${event.code}`, event);
  else trail.beside(event);
}

function eventOf(username: string, happening: BoxHappening): AuditEvent {
  switch (happening.kind) {
    case 'started':
      return byService('box.start', username);
    case 'stopped':
      return byService('box.stop', username, { why: happening.why });
    case 'start-failed': {
      const code = happening.error instanceof SpoonError ? happening.error.code : 'internal-error';
      return { ...byService('box.start', username), result: 'refused', code };
    }
    case 'ended': {
      const { reason, exitCode } = happening;
      return byService('box.end', username, { reason, ...(exitCode === null ? {} : { exitCode }) });
    }
    case 'out-of-memory':
      return byService('box.out-of-memory', username);
  }
}
