/** Maps over items with at most `limit` calls open; results in the order of the items. Deterministic in a workflow. */
export async function inParallel<T, R>(
  items: T[],
  limit: number,
  call: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await call(items[i], i);
  };
  await allOrFirstFailure(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}

/**
 * Promise.all that waits for every call before it fails: no child is still open then, so that the same work can be
 * asked for again under the same workflow ids.
 */
export async function allOrFirstFailure<T>(calls: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(calls);
  return Promise.all(calls);
}
