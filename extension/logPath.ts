/** Routes whose path has a name in it that somebody chose, and that a log has no business with. */
const named = /^(\/v1\/secrets\/)[^/]+/;

/** A request's path for the log: no query, which names files, and no name of a secret. */
export function logPath(url: string): string {
  return new URL(url).pathname.replace(named, '$1…');
}
