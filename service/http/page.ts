import type { FastifyReply } from 'fastify';

export interface PageOptions {
  /** Whether it loads a script of the service's own; none is ever inline. */
  readonly script?: boolean;
  /** Whether its script calls the API. Such a script makes no markup of text: the browser holds it to that (Trusted Types). */
  readonly callsApi?: boolean;
  /** Where the answer to its form may lead, beside the service itself. */
  readonly formTarget?: string;
}

/** A page of the service's own. Nothing from elsewhere, nothing inline, in nobody's frame. */
export function sendPage(
  reply: FastifyReply,
  text: string,
  { script = false, callsApi = false, formTarget }: PageOptions = {},
): FastifyReply {
  // Browsers hold a redirect after a form against form-action, too.
  const target = formTarget === undefined || formTarget.startsWith('/') ? '' : ` ${sourceOf(formTarget)}`;
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    ...(script ? ["script-src 'self'"] : []),
    ...(callsApi ? ["connect-src 'self'", "require-trusted-types-for 'script'", "trusted-types 'none'"] : []),
    `form-action 'self'${target}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return (
    reply
      .header('content-security-policy', policy.join('; '))
      // With "no-referrer" a browser sends the origin of a form as null, and the service could not tell its own page.
      .header('referrer-policy', 'same-origin')
      .header('cross-origin-opener-policy', 'same-origin')
      .type('text/html; charset=utf-8')
      .serializer((body: unknown) => body as string)
      .send(text)
  );
}

function sourceOf(address: string): string {
  const { protocol, origin } = new URL(address);
  return protocol === 'http:' ? origin : protocol;
}
