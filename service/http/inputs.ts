import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { SpoonError } from '../../protocol/errors.ts';
import { maxFileBytes, maxJsonBytes, maxPublicBytes } from '../../protocol/limits.ts';
import type { Route } from '../../protocol/route.ts';
import { InvalidInput } from './problem.ts';
import { repeatsName } from './repeatedNames.ts';
import { parseQuery } from './requestChecks.ts';

/** What comes in with a request, read and checked strictly: nothing is repaired, dropped or guessed. */

const decoder = new TextDecoder('utf-8', { fatal: true });
const shownErrors = 16;

/** Bodies are JSON, or bytes where the route says so; each size is refused by Content-Length at once, else by counting. */
export function addBodyParsers(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addHook('onRoute', (options) => {
    const route = options.config?.spoonRoute;
    const isPublic = route?.scope === 'public';
    options.bodyLimit = route?.bytes === 'request' ? maxFileBytes : isPublic ? maxPublicBytes : maxJsonBytes;
  });
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (takesBytes(request)) return done(new SpoonError('media-type-unsupported', 'Send the bytes of the file.'));
    if (takesArchive(request)) return done(new SpoonError('media-type-unsupported', 'Send application/x-tar.'));
    if (takesForm(request)) return done(new SpoonError('media-type-unsupported', 'Send the form of the page.'));
    if (body.length === 0) return done(null, undefined);
    let text: string;
    try {
      text = decoder.decode(body);
    } catch (cause) {
      return done(new SpoonError('invalid-encoding', undefined, { cause }));
    }
    parseJson(request, text, (error, value) => {
      // The parser's own text quotes the body.
      if (error) done(new SpoonError('json-invalid', undefined, { cause: error.name }));
      else if (repeatsName(text, value)) done(new SpoonError('json-invalid', 'A field is given twice.'));
      else done(null, value);
    });
  });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
    const form = takesForm(request) ? parseQuery(String(body)) : undefined;
    if (form !== undefined) return done(null, form);
    done(new SpoonError(takesForm(request) ? 'invalid-encoding' : 'media-type-unsupported'));
  });
  const takeBytes = (request: FastifyRequest, body: Buffer, done: (error: Error | null, body?: Buffer) => void) =>
    takesBytes(request) ? done(null, body) : done(new SpoonError('media-type-unsupported', 'Send application/json.'));
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, takeBytes);
  // Not collected: what an archive holds is counted as it is read.
  app.addContentTypeParser(['application/x-tar', 'application/gzip'], (request, body, done) => {
    if (takesArchive(request)) done(null, body);
    else done(new SpoonError('media-type-unsupported'));
  });
  // The empty name is fastify's for "anything else"; without a media type the bytes of a file are still bytes.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if ((request.headers['content-type'] ?? '') === '') return takeBytes(request, body, done);
    done(new SpoonError('media-type-unsupported'));
  });
  app.addHook('preValidation', async (request) => {
    const route = request.routeOptions.config.spoonRoute;
    if (route?.bytes === 'request') request.body ??= Buffer.alloc(0);
    else if (route?.bytes === 'archive') request.body ??= Readable.from([]);
    else if (route?.body === undefined && hasFields(request.body)) {
      throw new InvalidInput('unknown-field', [{ pointer: '', detail: 'No body is expected here.' }]);
    }
  });
}

function takesBytes(request: FastifyRequest): boolean {
  return request.routeOptions.config.spoonRoute?.bytes === 'request';
}

function takesForm(request: FastifyRequest): boolean {
  return request.routeOptions.config.spoonRoute?.form === true;
}

function takesArchive(request: FastifyRequest): boolean {
  return request.routeOptions.config.spoonRoute?.bytes === 'archive';
}

function hasFields(body: unknown): boolean {
  return body !== undefined && body !== null && (typeof body !== 'object' || Object.keys(body).length > 0);
}

/** Query values are text: only what the schema calls a boolean or a whole number becomes one, in its plain form. */
function readQueryTypes(schema: TSchema, query: Record<string, unknown>): Record<string, unknown> {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
      if (type === 'boolean' && (value === 'true' || value === 'false')) return [name, value === 'true'];
      if (type === 'integer' && typeof value === 'string' && /^-?\d{1,16}$/.test(value)) {
        const number = Number(value);
        if (Number.isSafeInteger(number)) return [name, number];
      }
      return [name, value];
    }),
  );
}

/** @returns the checked value @throws InvalidInput */
export function createInputCheck(schema: TSchema, part: string | undefined): (value: unknown) => unknown {
  const validator = Compile(schema);
  const known = Object.keys((schema as { properties?: object }).properties ?? {});
  const closed = (schema as { additionalProperties?: unknown }).additionalProperties === false;
  return (input) => {
    const value = part === 'querystring' ? readQueryTypes(schema, input as Record<string, unknown>) : input;
    if (value === undefined || value === null) {
      throw new InvalidInput('request-invalid', [{ pointer: '', detail: 'A JSON body is needed.' }]);
    }
    if (validator.Check(value)) return value;
    if (closed && typeof value === 'object' && !Array.isArray(value)) {
      const unknown = Object.keys(value).filter((name) => !known.includes(name));
      if (unknown.length > 0) {
        const errors = unknown.slice(0, shownErrors).map((name) => ({
          pointer: pointerTo(name.slice(0, 100)),
          detail: 'unknown field',
        }));
        throw new InvalidInput('unknown-field', errors);
      }
    }
    const errors = validator
      .Errors(value)
      .slice(0, shownErrors)
      .map(({ instancePath, message }) => ({ pointer: instancePath, detail: message }));
    throw new InvalidInput('request-invalid', errors);
  };
}

function pointerTo(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Which methods a path of the route table has, for `405` with `Allow`; none: there is no such path. */
export function methodsOf(path: string, routes: readonly Route[]): string[] {
  return routes.filter((route) => matchesRoute(route, path)).map((route) => route.method);
}

function matchesRoute(route: Route, path: string): boolean {
  const wanted = route.path.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length && wanted.every((part, i) => part === given[i] || (part[0] === ':' && given[i]))
  );
}
