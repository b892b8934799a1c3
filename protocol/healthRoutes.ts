import { type Static, Type } from 'typebox';
import { Health } from './boxes.ts';
import type { Route } from './route.ts';

export const Live = Type.Object({ status: Type.Literal('live') });
export type Live = Static<typeof Live>;

export const Ready = Type.Object({ status: Type.Literal('ready') });
export type Ready = Static<typeof Ready>;

/** The part of the route table for those who watch over the service. */
export const healthRoutes = {
  health: {
    method: 'GET',
    path: '/v1/health',
    scope: 'public',
    summary: 'Is the service well, and which version is it',
    response: Health,
  },
  live: {
    method: 'GET',
    path: '/health/live',
    scope: 'public',
    summary: 'The process answers',
    response: Live,
  },
  ready: {
    method: 'GET',
    path: '/health/ready',
    scope: 'public',
    summary: 'Database, key and engine can be used; else 503 with which cannot',
    response: Ready,
  },
} as const satisfies Record<string, Route>;
