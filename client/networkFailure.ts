import { SpoonError } from '../protocol/errors.ts';

// What the layers below `fetch` call it (Node: errno names, OpenSSL's X509_V_ERR names), in words.
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection: nothing listens there',
  ECONNRESET: 'closed the connection before it answered',
  EPIPE: 'closed the connection before it answered',
  UND_ERR_SOCKET: 'closed the connection before it answered',
  ENOTFOUND: 'has no address: the name is not known here',
  EAI_AGAIN: 'has no address at the moment: name lookup does not work',
  EHOSTUNREACH: 'cannot be reached from this network',
  ENETUNREACH: 'cannot be reached: this machine seems to be offline',
  ETIMEDOUT: 'did not answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'did not answer in time',
  ENOENT: 'is not there: the service does not run on this machine',
  EACCES: 'may not be opened by this user',
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet; check the clock here',
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'shows a certificate that is not trusted here; name its authority in SPOON_CA_FILE',
  SELF_SIGNED_CERT_IN_CHAIN: 'shows a certificate that is not trusted here; name its authority in SPOON_CA_FILE',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'shows a certificate that is not trusted here; name its authority in SPOON_CA_FILE',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'shows a certificate that is not trusted here; name its authority in SPOON_CA_FILE',
};

/** The `service-unreachable` of a failed request or socket, with the host and the deepest reason that is known. */
export function networkFailure(host: string, cause: unknown): SpoonError {
  const code = deepestCode(cause);
  const reason = (code === undefined ? undefined : reasons[code]) ?? 'does not answer';
  return new SpoonError('service-unreachable', `${host} ${reason}.`, { cause });
}

function deepestCode(cause: unknown): string | undefined {
  let code: string | undefined;
  // `fetch` wraps the reason in `cause`, and several attempts (IPv6, IPv4) in an AggregateError. Four levels are plenty.
  for (let error = cause, depth = 0; typeof error === 'object' && error !== null && depth < 4; depth++) {
    if ('code' in error && typeof error.code === 'string') code = error.code;
    if ('cause' in error && error.cause !== undefined) error = error.cause;
    else if ('errors' in error && Array.isArray(error.errors)) error = error.errors[0];
    else break;
  }
  return code;
}
