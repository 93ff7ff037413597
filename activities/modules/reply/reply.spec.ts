import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonObjectIn, jsonTextIn } from './json-object.js';
import { partsIn } from './parts.js';
import { sectionsIn } from './sections.js';

const LABELS = { context: ['Context'], subGoal: ['Sub-Goal'], tool: ['Tool', 'Tool Name'] };

describe('jsonObjectIn', () => {
  it.each([
    ['{"a":1}'],
    ['  {"a":1}\n'],
    ['Here it is:\n```json\n{"a":1}\n```\nDone.'],
    ['```\n{"a":0}\n```\nBetter:\n```\n{"a":1}\n```'],
    ['First {"a":0}, no: {"a":1} is right.'],
    ['I mean {broken and {"a":1}'],
  ])('finds the last whole object in %j', (reply) => {
    expect(jsonObjectIn(reply)).toEqual({ a: 1 });
  });

  it('does not take a brace in a string, or a nested object, for its own', () => {
    expect(jsonObjectIn('so {"a":"} \\" {","b":{"c":{}}}')).toEqual({ a: '} " {', b: { c: {} } });
  });

  it.each([[''], ['[1]'], ['"text"'], ['{"a":'], ['no braces']])('finds nothing in %j', (reply) => {
    expect(jsonObjectIn(reply)).toBeUndefined();
  });
});

describe('jsonObjectIn, with what models get wrong', () => {
  it.each([
    ['a comma too many', '{"q":"x","n":[1,2,],}', { q: 'x', n: [1, 2] }],
    ['Python’s words', "{'q': 'x', 'all': True, 'n': None}", { q: 'x', all: true, n: null }],
    ['curly quotes', '{“q”: “x”}', { q: 'x' }],
    ['comments', '{"q": "x" // the query\n}', { q: 'x' }],
    ['a line end in a text', '{"q": "x\ny"}', { q: 'x\ny' }],
    ['quotes in a text', '{"q": "the "best" city"}', { q: 'the "best" city' }],
    ['prose around a fence', 'Sure! Here it is:\n```json\n{"q": "x",}\n```\nIt asks for x.', { q: 'x' }],
    ['a fence on one line', '```json {"q": "x"} ```', { q: 'x' }],
    [
      'a fence within a text',
      '```json\n{"q": "use ```python\\nprint(1)```"}\n```',
      { q: 'use ```python\nprint(1)```' },
    ],
    ['tildes', '~~~\n{"q": "x"}\n~~~', { q: 'x' }],
    ['a fence that is never closed', '```json\n{"q": "x"}', { q: 'x' }],
    ['Markdown’s underscores', '{"max\\_results": 3}', { max_results: 3 }],
    ['JavaScript’s apostrophes', '{"q": "it\\\'s"}', { q: "it's" }],
  ])('reads %s', (_, reply, expected) => {
    expect(jsonObjectIn(reply)).toEqual(expected);
  });

  it.each([
    ['a reply that is cut off', '{"q": "x", "n": '],
    ['a text in three quotes', '{"code": """print(1)"""}'],
    ['a value that JSON has no word for', '{"n": NaN}'],
    ['a placeholder in prose', 'Replace {project} by {the name of it}.'],
  ])('makes nothing of %s', (_, reply) => {
    expect(jsonObjectIn(reply)).toBeUndefined();
  });

  it.each([
    ['{"q":"\\frac{1}{2} of \\beta"}', '\\frac{1}{2} of \\beta'],
    ['{"q":"\\(\\alpha\\) \\times \\theta"}', '\\(\\alpha\\) \\times \\theta'],
    ['{"q":"\\\\frac{1}{2} and \\frac{3}{4}"}', '\\frac{1}{2} and \\frac{3}{4}'],
    ['{"q":"5 \\text{ km} \\neq 5 \\tan(x)"}', '5 \\text{ km} \\neq 5 \\tan(x)'],
    ['{"q":"\\nabla f, x \\notin A, \\rho"}', '\\nabla f, x \\notin A, \\rho'],
    ['{"q":"\\sum_i \\nu \\to \\tau"}', '\\sum_i \\nu \\to \\tau'],
    ['{"q":"\\underbrace{x}"}', '\\underbrace{x}'],
    ['{"q":"\\d+\\.\\d*"}', '\\d+\\.\\d*'],
    ['{"q":"C:\\Users\\me"}', 'C:\\Users\\me'],
    ["{'q': '\\alpha'}", '\\alpha'],
    ['{“q”: “\\alpha”}', '\\alpha'],
  ])('keeps the backslashes of %j', (reply, q) => {
    expect(jsonObjectIn(reply)).toEqual({ q });
  });

  it.each([
    ['for x in y:\ni = 1\n\treturn i'],
    ['one\ntwo\nnot three\r\n\tto four'],
    ['A tab\tand a quote " and a slash / and \\ and ü'],
    ['x\neq = 2\nu = 3'],
  ])('changes no escape that means what it says: %j', (q) => {
    const json = JSON.stringify({ q });
    expect(jsonTextIn(json)).toEqual({ object: { q }, text: json });
  });

  it('changes nothing in JSON whose texts hold no control characters beside line ends', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab \\"\'{}[]`.:,/\nü') });
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.integer(), fc.array(text))), (object) => {
        expect(jsonObjectIn(JSON.stringify(object))).toEqual({ ...object });
      }),
    );
  });
});

describe('sectionsIn', () => {
  const expected = { context: 'x is 4', subGoal: 'double x', tool: 'Calculator' };

  it.each([
    ['Context: x is 4\nSub-Goal: double x\nTool: Calculator'],
    ['**Context:** x is 4\n**Sub-Goal:** double x\n**Tool:** Calculator'],
    ['### 1. Context\nx is 4\n### 2. Sub-Goal\ndouble x\n### 3. Tool Name\nCalculator'],
    ['1. **Context**: x is 4\n2. **Sub Goal**: double x\n3. **Tool Name**: Calculator'],
    ['- CONTEXT: x is 4\n- SUB_GOAL: double x\n- tool name: Calculator'],
    ['Context:\n```\nx is 4\n```\nSub-Goal: double x\nTool:\n```text\nCalculator\n```'],
    ['Context: old\nSub-Goal: old\nTool: Old\nNo, better:\nContext: x is 4\nSub-Goal: double x\nTool: Calculator'],
  ])('reads %j', (reply) => {
    expect(sectionsIn(reply, LABELS)).toEqual(expected);
  });

  it('takes no sentence that begins with a label’s word for a part', () => {
    expect(sectionsIn('Context matters here.\nTool use is fine: yes.', LABELS)).toEqual({});
  });

  it('keeps further lines of a part', () => {
    expect(sectionsIn('Context: a\nb: c\n\nd\nTool: T', LABELS)).toEqual({ context: 'a\nb: c\n\nd', tool: 'T' });
  });
});

describe('partsIn', () => {
  const parts = (reply: string) => partsIn(reply, LABELS, ['subGoal', 'tool']);

  it('reads JSON with keys in any spelling, and values that are not texts', () => {
    const reply = '{"Context":["x",4],"subGoal":"double","tool_name":null,"other":1}';
    expect(parts(reply)).toEqual({ context: 'x, 4', subGoal: 'double', tool: '' });
  });

  it('reads labels where the JSON in a reply is something else', () => {
    expect(parts('Context: {"x":4}\nTool: T')).toEqual({ context: '{"x":4}', tool: 'T' });
  });

  it('takes labels before JSON that the reply quotes', () => {
    const reply = 'Context: the last call was {"tool":"Old","sub_goal":"old"}\nSub-Goal: new\nTool: T';
    expect(parts(reply)).toMatchObject({ subGoal: 'new', tool: 'T' });
  });

  it.each([
    ['I could send {"tool":"Old","sub_goal":"old"} but then I know no more.'],
    ['Context: {"tool":"Old","sub_goal":"old"} was the last call'],
  ])('takes no JSON in a sentence for the reply: %j', (reply) => {
    expect(parts(reply).tool).toBeUndefined();
  });

  it.each([
    ['My plan:\n{"tool":"T","sub_goal":"s"}'],
    ['My plan:\n```json\n{"tool":"T","sub_goal":"s",}\n```\nThat is all.'],
    ['Context: c\n```json\n{\n  "tool": "T",\n  "sub_goal": "s"\n}\n```'],
    ['First {"tool":"Old","sub_goal":"old"}, no:\n{"tool":"T","sub_goal":"s"}.'],
  ])('takes JSON that stands by itself: %j', (reply) => {
    expect(parts(reply)).toMatchObject({ tool: 'T', subGoal: 's' });
  });
});

describe('a reply that repeats itself', () => {
  const repeated = (text: string) => text.repeat(2 ** 20 / text.length);

  /** Quadratic, a mebibyte would be 10^12 steps: days. So that this ends at all is what is shown. */
  it.each([
    ['blanks after a label', `Tool${repeated(' ')}x`],
    ['blanks after a colon', `Tool:${repeated(' ')}x\ry`],
    ['marks after a label', `Tool${repeated(' *')}x`],
    ['lines without an end', `\`\`\`\n${repeated('\n')}x\`\`\``],
    ['quotation marks that open', repeated('“')],
    ['quotation marks and backslashes', repeated('“\\')],
    ['objects that are none', repeated('{x}')],
    ['fences', repeated('```\nx\n```\n')],
    ['labels', repeated('Tool:\n')],
  ])('is read in one pass: %s', (_, reply) => {
    jsonTextIn(reply);
    expect(partsIn(reply, LABELS, ['subGoal', 'tool'])).not.toHaveProperty('context');
  });

  it('of many objects that are none, no more than a thousand are parsed', () => {
    expect(jsonObjectIn(`{"a":1} ${'{x} '.repeat(998)}`)).toEqual({ a: 1 });
    expect(jsonObjectIn(`{"a":1} ${'{x} '.repeat(1_000)}`)).toBeUndefined();
  });
});
