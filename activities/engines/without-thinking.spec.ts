import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { asRead } from './model-calls.js';
import { withoutThinking } from './without-thinking.js';

describe('withoutThinking', () => {
  /** As model families send them, by what their users report. */
  it.each([
    ['DeepSeek R1, QwQ, Qwen3', '<think>\nIs it 7? Tool: Search\n</think>\n\nTool: Calculator', 'Tool: Calculator'],
    ['their templates that put the first tag into the prompt', 'Is it 7?\n</think>\n\n8', '8'],
    ['Qwen3 that does not think', '<think>\n\n</think>\n\n8', '8'],
    ['a thought that is cut off', '<think>\nIs it 7? <answer>7</answer>', ''],
    ['two thoughts', '<think>a</think>8<think>sure?</think>', '8'],
    ['a thought within a thought', '<think>a <think>b</think>8', '8'],
    ['others', '<Thinking>a</Thinking>\n<reasoning>b</reasoning>8', '8'],
    ['Seed-OSS', '<seed:think>a</seed:think>8', '8'],
    ['Magistral', '[THINK]a[/THINK]8', '8'],
    ['Kimi', '◁think▷a◁/think▷8', '8'],
    ['OpenThinker', '<|begin_of_thought|>a<|end_of_thought|>\n<|begin_of_solution|>8<|end_of_solution|>', '8'],
    ['gpt-oss', '<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>8<|return|>', '8'],
    ['gpt-oss without its special tokens', 'analysisWe add 3 and 5.assistantfinal8', '8'],
    ['a server that leaves the end of the turn', '8<|im_end|>\n', '8'],
    ['a word about a tag', 'Put it in <think> first.', 'Put it in <think> first.'],
    ['a word that begins like a channel', 'analysis of the final answer: 8', 'analysis of the final answer: 8'],
  ])('%s', (_, reply, said) => {
    expect(withoutThinking(reply)).toBe(said);
  });

  it('changes nothing the second time', () => {
    const part = fc.constantFrom('<think>', '</think>', '[THINK]', '\n', 'a', ' ', '<|im_end|>', 'final', '8');
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const said = withoutThinking(parts.join(''));
        expect(withoutThinking(said)).toBe(said);
      }),
    );
  });

  it('reads a reply of tags in one pass', () => {
    expect(withoutThinking('<think>'.repeat(100_000))).toBe('');
    expect(withoutThinking('</think>'.repeat(100_000))).toBe('');
    expect(withoutThinking(`a${' <|im_end|>'.repeat(50_000)}`)).toBe('a');
    expect(withoutThinking(`a${' '.repeat(500_000)}b`)).toHaveLength(500_002);
  });
});

describe('asRead', () => {
  it('I16: reads a mebibyte of a reply, and tells of a longer one that it was cut off', () => {
    const whole = 'x'.repeat(2 ** 20);
    expect(asRead({ reply: whole, finishReason: 'stop' })).toEqual({ text: whole, finishReason: 'stop' });
    expect(asRead({ reply: `${whole}x`, finishReason: 'stop' })).toEqual({ text: whole, finishReason: 'length' });
  });
});
