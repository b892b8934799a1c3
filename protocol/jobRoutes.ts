import { Type } from 'typebox';
import { ClearedJobs, Job, JobDetails, JobList, JobSearchResult, RunJobRequest, SearchJobsRequest } from './jobs.ts';
import { AdminJobList, WorkerToken } from './jobWorkers.ts';
import type { Route } from './route.ts';

const closed = { additionalProperties: false } as const;

/** The part of the route table that is about agent jobs. */
export const jobRoutes = {
  runJob: {
    method: 'POST',
    path: '/v1/jobs',
    scope: 'terminals:open',
    audit: 'job.run',
    summary: 'Queue an agent run in a thread; it starts the box when its turn comes. Answers at once',
    body: RunJobRequest,
    response: Job,
  },
  listJobs: {
    method: 'GET',
    path: '/v1/jobs',
    scope: 'terminals:open',
    summary: 'The own jobs, the newest first',
    query: Type.Object({ thread: Type.Optional(Type.String({ maxLength: 512 })) }, closed),
    response: JobList,
  },
  searchJobs: {
    method: 'POST',
    path: '/v1/jobs/search',
    scope: 'terminals:open',
    summary: 'Lines of prompts and logs that hold a text, the newest job first',
    body: SearchJobsRequest,
    response: JobSearchResult,
  },
  clearJobs: {
    method: 'POST',
    path: '/v1/jobs/clear',
    scope: 'terminals:open',
    summary: 'Forget all jobs that have ended, with their logs',
    response: ClearedJobs,
  },
  readJob: {
    method: 'GET',
    path: '/v1/jobs/:id',
    scope: 'terminals:open',
    summary: 'One job with its prompt, and what it changed',
    response: JobDetails,
  },
  removeJob: {
    method: 'DELETE',
    path: '/v1/jobs/:id',
    scope: 'terminals:open',
    summary: 'Forget a job that has ended, with its log',
  },
  cancelJob: {
    method: 'POST',
    path: '/v1/jobs/:id/cancel',
    scope: 'terminals:open',
    audit: 'job.cancel',
    auditMayFail: true,
    summary: 'End it with everything it started; answers at once. Succeeds for one that has ended',
    response: Job,
  },
  retryJob: {
    method: 'POST',
    path: '/v1/jobs/:id/retry',
    scope: 'terminals:open',
    audit: 'job.run',
    summary: 'Queue the same prompt in the same thread again, as a job of its own',
    response: Job,
  },
  jobLog: {
    method: 'GET',
    path: '/v1/jobs/:id/log',
    scope: 'terminals:open',
    summary:
      'What it printed so far: as it came, with colours, or as plain text; its beginning and end where it is long',
    query: Type.Object({ format: Type.Optional(Type.Union([Type.Literal('raw'), Type.Literal('text')])) }, closed),
    bytes: 'response',
  },
  jobDiff: {
    method: 'GET',
    path: '/v1/jobs/:id/diff',
    scope: 'terminals:open',
    summary: 'What it changed in the thread’s folder, as a unified diff; empty where nothing',
    bytes: 'response',
  },
  followJob: {
    method: 'GET',
    path: '/v1/jobs/:id/follow',
    scope: 'ticket',
    summary: 'Its output as it comes (jobs.ts has the messages), to any number of viewers',
    upgrade: true,
  },
  jobEnvironment: {
    method: 'GET',
    path: '/v1/jobs/:id/environment',
    scope: 'worker:lease',
    audit: 'job.environment',
    summary: 'For the worker of this one job, until it ends: its user, repository, setup and dotfiles (jobWorkers.ts)',
    bytes: 'response',
  },
  adminJobs: {
    method: 'GET',
    path: '/v1/admin/jobs',
    scope: 'admin:boxes',
    summary: 'The jobs that wait or run, without what is in them',
    response: AdminJobList,
  },
  createWorkerToken: {
    method: 'POST',
    path: '/v1/admin/jobs/:id/worker-token',
    scope: 'admin:boxes',
    audit: 'worker-token.create',
    summary: 'A token for the worker of one job; good for its environment, until the job ends',
    response: WorkerToken,
  },
} as const satisfies Record<string, Route>;
