import { WriteStream } from 'node:tty';
import { describe, expect, it } from '@jest/globals';
import { styled } from './style.js';

/** A terminal in an environment, as Node sees it. */
const terminal = (environment: object) => ({
  hasColors: () => WriteStream.prototype.hasColors.call({} as WriteStream, 16, environment),
});

/*
 * What goes into files and other programs elsewhere: escape sequences (dat-ecosystem/dat#1021, colbymchenry/codegraph#1281,
 * paiml/aprender#662).
 */
describe('colour', () => {
  const XTERM = { TERM: 'xterm-256color' };

  it('is on a terminal that has it', () => {
    expect(styled('a line', 'red', terminal(XTERM))).toBe('\u001b[31ma line\u001b[39m');
    expect(styled('a line', undefined, terminal(XTERM))).toBe('a line');
  });

  it.each([
    ['in a pipe or a file', {}],
    ['with NO_COLOR', terminal({ ...XTERM, NO_COLOR: '1' })],
    ['on a terminal without colours', terminal({ TERM: 'dumb' })],
  ])('is not %s', (_, output) => {
    expect(styled('a line', 'bold', output)).toBe('a line');
  });
});
