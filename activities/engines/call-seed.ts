import { createHash } from 'node:crypto';
import { placeOf, type FlowRef } from '../../contracts/flow.js';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';

/** Seed of a call (I5), the same for every attempt: unsigned 64-bit integer in decimal. */
export function callSeed(flow: FlowRef, turn: number): string {
  const { step, group, rollout } = placeOf(flow);
  const coordinates = canonicalJson([flow.runSeed, flow.purpose, step, group, rollout, turn]);
  return createHash('sha256').update(coordinates).digest().readBigUInt64BE(0).toString();
}
