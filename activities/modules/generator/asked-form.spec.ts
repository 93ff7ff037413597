import { describe, expect, it } from '@jest/globals';
import { askedForm } from './asked-form.js';

describe(askedForm, () => {
  it('adds the form that a benchmark wants of an answer, and nothing where it wants none', () => {
    const question = 'Which is heavier?\nA. lead\nB. cork';
    expect(askedForm({ question, answerForm: 'Answer with the letter alone.' })).toBe(
      `${question}\nAnswer with the letter alone.`,
    );
    expect(askedForm({ question })).toBe(question);
  });
});
