import { createHash } from 'node:crypto';
import type { FlowRef } from '../../workflows/contracts/flow.js';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';

/** Seed of a call (I5), the same for every attempt: unsigned 64-bit integer in decimal. */
export function callSeed(flow: FlowRef, turn: number): string {
  const coordinates = canonicalJson([flow.runSeed, flow.purpose, flow.step, flow.group, flow.rollout, turn]);
  return createHash('sha256').update(coordinates).digest().readBigUInt64BE(0).toString();
}
