import { describe, expect, it } from '@jest/globals';
import { jsonObjectIn } from './json-object.js';
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
    ['<think>{"a":0} perhaps</think>{"a":1}'],
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
    ['<think>Tool: Old</think>\nContext: x is 4\nSub-Goal: double x\nTool: Calculator\n'],
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
  it('reads JSON with keys in any spelling, and values that are not texts', () => {
    const reply = '{"Context":["x",4],"subGoal":"double","tool_name":null,"other":1}';
    expect(partsIn(reply, LABELS)).toEqual({ context: 'x, 4', subGoal: 'double', tool: '' });
  });

  it('reads labels where the JSON in a reply is something else', () => {
    expect(partsIn('Context: {"x":4}\nTool: T', LABELS)).toEqual({ context: '{"x":4}', tool: 'T' });
  });
});
