const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * Which of the weights has its turn at this index. Indices walk the unit interval in golden-ratio strides from `start`
 * (in [0, 1)): any number of them comes close to the weights, which independent choices would miss in small batches.
 */
export function weightedTurn(weights: readonly number[], start: number, index: number): number {
  let left = ((start + index * GOLDEN_RATIO) % 1) * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [position, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return position;
  }
  return weights.length - 1;
}
