/**
 * A stream of uniform numbers in [0, 1) that is a pure function of its seed: resampling gives the same figures wherever
 * it runs, in a workflow too. Chris Doty-Humphrey's sfc32, whose first outputs are thrown away as he recommends.
 */
export function seededRandom(seed: number): () => number {
  let a = 0;
  let b = 0;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next();
  return next;
}
