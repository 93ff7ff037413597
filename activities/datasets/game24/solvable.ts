/** Every multiset of four numbers from 1 to 13 that makes 24, ascending: 1,362 of 1,820. */
export function solvableQuadruples(): number[][] {
  const quadruples: number[][] = [];
  for (let a = 1; a <= 13; a += 1) {
    for (let b = a; b <= 13; b += 1) {
      for (let c = b; c <= 13; c += 1) {
        for (let d = c; d <= 13; d += 1) {
          const numbers = [a, b, c, d];
          if (isSolvable(numbers)) quadruples.push(numbers);
        }
      }
    }
  }
  return quadruples;
}

/** Whether 24 can be made of these numbers. */
export function isSolvable(numbers: readonly number[]): boolean {
  return makes24(numbers.map((value): Fraction => [value, 1]));
}

/** Numerator and denominator, not reduced: numbers up to 13 stay far below 2^53 in three operations. */
type Fraction = readonly [numerator: number, denominator: number];

/** Combines two of the numbers in every way until one is left. */
function makes24(numbers: readonly Fraction[]): boolean {
  if (numbers.length === 1) return numbers[0][1] !== 0 && numbers[0][0] === 24 * numbers[0][1];
  for (let i = 0; i < numbers.length; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const rest = numbers.filter((_, index) => index !== i && index !== j);
      if (combinations(numbers[i], numbers[j]).some((value) => makes24([value, ...rest]))) return true;
    }
  }
  return false;
}

function combinations([a, b]: Fraction, [c, d]: Fraction): Fraction[] {
  const results: Fraction[] = [
    [a * d + c * b, b * d],
    [a * d - c * b, b * d],
    [c * b - a * d, b * d],
    [a * c, b * d],
    [a * d, b * c],
    [c * b, d * a],
  ];
  return results.filter(([, denominator]) => denominator !== 0);
}
