import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runTool } from '../run-tool.js';
import { toolContext } from '../testing/tool-context.js';
import { calculator } from './calculator.tool.js';
import { evaluateArithmetic } from './evaluate.js';

const calculate = (expression: string) => runTool(calculator, { expression }, toolContext());

describe('calculator', () => {
  it('computes integers exactly', () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 30n });
    fc.assert(
      fc.property(digits, digits, digits, (a, b, c) => {
        expect(evaluateArithmetic(`${a} + ${b} * ${c}`)).toBe(String(a + b * c));
        expect(evaluateArithmetic(`(${a}-${b})*${c}`)).toBe(String((a - b) * c));
        expect(evaluateArithmetic(`-${a} - -${b}`)).toBe(String(b - a));
      }),
    );
  });

  it.each([
    ['12*7', '84'],
    ['0.1 + 0.2', '0.3'],
    ['1/3', '0.333333333333'],
    ['10 / 4', '2.5'],
    ['-(2+3)*4', '-20'],
    ['0 * -3', '0'],
    [' 007 ', '7'],
  ])('gives %s = %s', async (expression, result) => {
    expect(await calculate(expression)).toEqual({ result });
  });

  it.each([
    '347 plus 589',
    'area of Hexley * 7',
    'sqrt(4)',
    '2(3)',
    '(2)(3)',
    '1e9',
    '5!',
    '5%',
    '2^10',
    '1 +',
    '(1',
    '1 2',
    '...',
    '1/0',
    '',
    '   ',
    'x = 1',
    'import("fs")',
    `${'('.repeat(60)}1${')'.repeat(60)}`,
    '1'.repeat(201),
  ])('refuses %j in words', async (expression) => {
    const outcome = await calculate(expression);
    expect(outcome.result).toBeUndefined();
    expect(outcome.mistake).toMatch(/^[a-z].{5,60}$/);
  });

  it('never throws, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...'0123456789+-*/(). '), maxLength: 40 }), async (text) => {
        const { result, mistake } = await calculate(text);
        expect(result ?? mistake).toBeTruthy();
        if (result !== undefined) expect(result).toMatch(/^-?\d+(\.\d{1,12})?$/);
      }),
      { numRuns: 500 },
    );
  });
});
