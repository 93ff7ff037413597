import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { Routes } from '../../../cli/client/api-types.js';
import { call, request, type Answer } from './call.js';

/** Who this browser is signed in as; api/sessions. */
export interface SignedIn {
  project: string;
  key: { id: string; name: string; scopes: string[] };
}

/** As many as a list answers at once. */
const PAGE = 100;
/** How often what has no stream of events is asked again. */
const POLL_MS = 5_000;

export const signedIn = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => (await request('GET', '/session', { signal })) as SignedIn,
  retry: false,
  staleTime: Number.POSITIVE_INFINITY,
});

export type RunFilters = Omit<NonNullable<Routes['GET /v1/training_runs']['takes']['query']>, 'after' | 'limit'>;
export type Run = Answer<'GET /v1/training_runs'>['data'][number];
export type Step = Answer<'GET /v1/training_runs/{id}/steps'>['data'][number];
export type Evaluation = Answer<'GET /v1/training_runs/{id}/evaluations'>['data'][number];
export type Group = Answer<'GET /v1/groups'>['data'][number];
export type Rollout = Answer<'GET /v1/rollouts/{id}'>;
export type Turn = Rollout['turn_records'][number];

export const runs = (filters: RunFilters) =>
  infiniteQueryOptions({
    queryKey: ['runs', filters],
    queryFn: ({ pageParam: after, signal }) =>
      call('GET /v1/training_runs', { query: { ...filters, limit: 50, after } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ has_more, last_id }) => (has_more ? (last_id ?? undefined) : undefined),
    refetchInterval: POLL_MS,
  });

export const run = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => call('GET /v1/training_runs/{id}', { path: { id } }, signal),
  });

export const steps = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'steps'],
    queryFn: ({ signal }) =>
      everyPage((after) =>
        call(
          'GET /v1/training_runs/{id}/steps',
          { path: { id }, query: { after: after === undefined ? undefined : Number(after), limit: PAGE } },
          signal,
        ),
      ),
  });

export const evaluations = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'evaluations'],
    queryFn: ({ signal }) =>
      call('GET /v1/training_runs/{id}/evaluations', { path: { id }, query: { limit: PAGE } }, signal),
  });

export const groups = (runId: string, step: number) =>
  queryOptions({
    queryKey: ['run', runId, 'groups', step],
    queryFn: ({ signal }) =>
      everyPage((after) => call('GET /v1/groups', { query: { run_id: runId, step, after, limit: PAGE } }, signal)),
  });

export const rollout = (id: string) =>
  queryOptions({
    queryKey: ['rollout', id],
    queryFn: ({ signal }) => call('GET /v1/rollouts/{id}', { path: { id } }, signal),
  });

/** Every page of a list whose cursor is the last id, in order. */
async function everyPage<Item>(
  page: (after?: string) => Promise<{ data: Item[]; has_more: boolean; last_id: string | null }>,
): Promise<Item[]> {
  const all: Item[] = [];
  for (let after: string | undefined; ;) {
    const { data, has_more, last_id } = await page(after);
    all.push(...data);
    if (!has_more || last_id === null) return all;
    after = last_id;
  }
}
