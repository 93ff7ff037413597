import { describe, expect, it } from '@jest/globals';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { encodeBatch, type BatchRow } from './batch-file.js';

const row = (n: number, count: number): BatchRow => ({
  group: count - n,
  rollout: n % 3,
  turn: 1,
  promptTokenIds: Int32Array.from({ length: n + 1 }, (_, k) => k * n),
  responseTokenIds: Int32Array.from({ length: n % 4 }, (_, k) => k + n),
  logprobs: Float32Array.from({ length: n % 4 }, (_, k) => -k / (n + 1)),
  reward: n / 2,
  finishReason: n % 2 ? 'stop' : 'length',
});

describe('encodeBatch', () => {
  it.each([
    [0, '82d35bbf3e00834b'],
    [1, 'b6c73d6de82116c2'],
    [2, 'ec46dd8bd5e7a76d'],
    [7, 'a8ca85ba6537705f'],
    [50, '426e0b2ed7722a1b'],
    [333, 'adeea063cf56b10a'],
    [2_000, 'd8249657161e8ed5'],
  ])('I4, I5: gives the bytes that batches have had since format 3: %d rows', (count, digest) => {
    const rows = Array.from({ length: count }, (_, n) => row(n, count));
    expect(sha256Hex(encodeBatch(rows, { n: count })).slice(0, 16)).toBe(digest);
  });
});
