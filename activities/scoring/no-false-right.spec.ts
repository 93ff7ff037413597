import { describe, expect, it } from '@jest/globals';
import type { Ruling } from '../../contracts/scoring.js';
import type { Truth } from '../datasets/items/truth.js';
import { scoreByRules } from './score-by-rules.js';

const TOWNS = ['Paris', 'London', 'Rome', 'Oslo'];
const COLOURS = ['red', 'blue', 'green', 'yellow'];
const CELLS = ['a red cell', 'a blue cell', 'a green cell', 'a yellow cell'];
const WORDS = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8', 'w9', 'w10'];

const text = (gold: string): Truth => ({ kind: 'text', answers: [gold] });
const number = (value: string): Truth => ({ kind: 'number', value });
const expression = (value: string): Truth => ({ kind: 'expression', value });
const choice = (letter: string, choices: string[]): Truth => ({ kind: 'choice', letter, choices });

/** That nobody is taught to list, to deny or to cross out: these look like the truth and say another thing. */
const NOT_RIGHT: [name: string, truth: Truth, answers: string[]][] = [
  [
    'several answers below each other',
    text('Paris'),
    [
      'Paris\nLondon',
      'Paris\n\nLondon',
      'Paris\nLondon\nRome\nOslo',
      '- Paris\n- London',
      '1. Paris\n2. London',
      '<answer>Paris\nLondon</answer>',
      'Paris\nNo, London',
      'Paris\nLondon is also possible.',
      '我怀疑答案是Paris',
      'Неправильный ответ: Paris',
    ],
  ],
  [
    'an answer that something does not show',
    text('Paris'),
    [
      'This does not show that the answer is Paris.',
      'These facts never show that the answer is Paris.',
      'Nothing shows that the answer is Paris.',
    ],
  ],
  ['a choice that is denied behind a connective', choice('C', TOWNS), ['Thus option C is wrong.', 'Hence C or D']],
  ['several numbers below each other', number('5'), ['5\n6', '5\n\n6', '5\nThat is wrong.']],
  ['several choices below each other', choice('C', TOWNS), ['C\nD', 'C\n\nD', 'Rome\nOslo', 'Rome\n\nOslo', 'C\nD\nC']],
  [
    'an answer that is said to be wrong, or doubted',
    text('Paris'),
    [
      'The wrong answer is Paris',
      'It is false that the answer is Paris',
      'I doubt the answer is Paris',
      'Nobody said the answer is Paris',
      'The incorrect answer is: Paris',
      'Wrong answer: Paris',
      'If the answer is Paris, I am wrong',
      'It is not clear whether the answer is Paris.',
      'The answer is Paris. That is wrong.',
      "The student's answer is Paris",
      'He says "the answer is Paris"',
      'It is false that Paris is the answer.',
    ],
  ],
  [
    'a number that is said to be wrong, or doubted',
    number('5'),
    [
      'The wrong answer is 5.',
      'A common wrong answer is 5',
      'I doubt that the answer is 5.',
      'Nobody says the answer is 5',
      'It is not true that the answer is 5.',
      'If the answer is 5 then pigs fly',
      "The student's answer is 5, which is incorrect.",
      'The answer is 5, which is wrong.',
      'It is tempting to say the answer is 5.',
      'Nobody knows whether the answer is 5',
      'I doubt that 5 is the answer.',
    ],
  ],
  [
    'what is crossed out',
    text('Paris'),
    ['~~Paris~~', 'Paris ❌', '❌ Paris', 'The answer is Paris ✗', '~~Paris~~ London'],
  ],
  ['a number that is crossed out', number('5'), ['~~5~~', '5 ❌', 'Final answer: 5 ✗', 'The answer is 5 ❌']],
  ['an expression that is crossed out', expression('1/2'), ['~~1/2~~', '1/2 ❌']],
  [
    'a letter and its denial',
    choice('C', TOWNS),
    [
      'C: no',
      'C - wrong',
      'C) is wrong',
      'C: this is wrong',
      'C. This is incorrect because it is not there',
      'C. No, it is D',
      'C = wrong, D = right',
      'C: false',
      'C: Incorrect\nD: Correct',
      'C: incorrect. D: correct',
      'C: eliminated',
      'C. Definitely not.',
      'C. I doubt it',
      "C, I don't think so",
      'The answer is C... no, D',
      'The answer is C. No, D.',
      'The wrong answer is C',
      'The incorrect option is C',
      'I doubt that the answer is C',
      'C\nNo',
      'C\nwrong',
      'C. Rome is wrong',
      'C. Rome - incorrect',
      'C: Rome (false)',
      'C. Rome? No.',
      'C. Rome\n\nWrong.',
      'C. Rome, D. Oslo',
      'C) Rome D) Oslo',
      '~~C~~',
    ],
  ],
  [
    'an A that is no choice',
    choice('A', CELLS),
    ['A. I. says C', 'A: not this one', 'A – no', 'A = false', 'A. False', 'A. No'],
  ],
  ['an I that is no choice', choice('I', WORDS), ['I, as a language model, cannot say', 'I: unknown', 'I think so']],
  [
    'a yes that is none',
    text('yes'),
    [
      'Yes... I mean no',
      'Yes, that is false',
      "Yes, sir, I don't know",
      'Yes, the claim is false',
      'Yes, they are not.',
      'Yes, it is not true.',
      'Yes, I can help with that.',
      'Yes\nNo',
      'Yes. I do not know.',
      'Yes\nThat is wrong.',
    ],
  ],
  [
    'a no that is none',
    text('no'),
    [
      "No, the context doesn't mention it",
      "No, I don't know.",
      "No. I don't know.",
      'No. The passages do not say.',
      "No, that's not no",
      'No, I have no idea',
      'No, the passages do not say',
      'No, nothing was found',
      'No – the documents are silent on it',
      "No, there isn't enough data to decide",
      'No, the question is ambiguous',
    ],
  ],
  ['another sign in a text: 5', text('5'), ['.5', '5!', "5'", '5"', '!5', '-5']],
  ['another sign in a text: .5', text('.5'), ['5', '5.', '-.5']],
  ['another sign in a text: v1.2', text('v1.2'), ['v12', 'v1 2']],
  ['another sign in a text: 1,5', text('1,5'), ['1 5', '1;5', '15']],
  ['another sign in a text: P=NP', text('P=NP'), ['P!=NP', 'P NP']],
  ['another sign in a text: infinity', text('∞'), ['-∞', '−∞']],
  ['another sign in a text: 10⁻³', text('10⁻³'), ['10^3', '10³', '10-3']],
  ['another sign in a text: -v', text('-v'), ['v', '--v']],
  ['another sign in a text: ls -l', text('ls -l'), ['ls l', 'ls --l']],
  ['another sign in a text: --no-verify', text('--no-verify'), ['no verify', '-no-verify', 'no-verify']],
  ['another sign in a text: !x', text('!x'), ['x', 'x!']],
  ['another sign in a text: __init__', text('__init__'), ['init', '_init_', '__init', '**init**']],
  ['another sign in a text: <b>', text('<b>'), ['</b>', 'b']],
  ['another sign before a name', text('Paris'), ['!Paris', '-Paris']],
  ['another currency', { kind: 'short-form', answer: '$1.50' }, ['€1.50', '1.5%']],
  ['another number of some', choice('B', ['-5', '5', '0.5', '50']), ['.5', '- 5', '−5']],
  ['another index of some', choice('D', ['x^2', 'x_2', '2x', 'x2']), ['x₂', 'x²', '2x']],
  ['the letter of another', choice('B', CELLS), ['A. a blue cell', 'A) a blue cell', 'A: a blue cell']],
  ['the letter of another town', choice('B', TOWNS), ['A London', 'A. London']],
  [
    'a number that is corrected later',
    number('5'),
    [
      '\\boxed{5}\n\nWait, let me double-check. 2 + 4 = 6. Therefore, the answer is 6.',
      '\\boxed{5}\n\nHowever, the correct answer is 6.',
      'I first got \\boxed{5}, but the correct value is 6.',
      'The answer is 5.\n\nActually, let me re-check. The total is 6.',
      'Answer: 5\n\nRevised answer: 6',
      '**Answer:** 5\n\n**Correction:** 6',
      'It is not \\boxed{5}',
      '\\boxed{5} is wrong',
      'The answer is 5. However, 6 is also possible.',
    ],
  ],
  [
    'a choice that is corrected later',
    choice('B', TOWNS),
    ['\\boxed{B}\n\nWait, actually C.', 'The answer is B. Hmm, no: C.', 'The answer is B. But D fits better.'],
  ],
  [
    'a text that is denied, or has another beside it',
    text('Paris'),
    ['not <answer>Paris</answer>', 'The answer is Paris. However, it may be London.'],
  ],
  [
    'a text with another behind it',
    text('Paris'),
    [
      'Paris\n\nLondon, Rome and Oslo',
      'The answer is Paris. London is also possible.',
      'The answer is Paris, which is wrong.',
      'The answer is Paris, which might be London.',
    ],
  ],
  [
    'a choice beside another, denied, or none',
    choice('B', COLOURS),
    [
      'B is correct, and so is C.',
      'B, but C is also acceptable.',
      'The answer is B (A is also correct).',
      'Answer: B (or C)',
      'B. blue or green',
      'B. blue does not fit.',
      'B. blue: this option can be eliminated.',
      'B. blue\n\nThis option is incorrect because the sky is green.',
      'B. The tool failed.',
      'B. Error',
      'B is correct if A is false',
      'Among the given options, B is wrong.',
      'The most appropriate answer is not B.',
    ],
  ],
  [
    'a yes beside a difference, a condition or another thing',
    text('yes'),
    [
      'Yes, they are different nationalities; one is French.',
      'Yes, X is American and Y is French.',
      'Yes, only one of them is American.',
      'Yes, if he was born there.',
      'Yes, either is possible.',
      'Yes, a tool was called.',
    ],
  ],
  [
    'a no beside a sameness or another thing',
    text('no'),
    [
      'No, both are American.',
      'No, they share the same nationality.',
      'No, not necessarily.',
      'No, the maximum number of steps was reached.',
      'No, the server was down.',
      'No, further steps are required.',
      'No, Wikipedia has no page on it.',
      'No, nobody was identified.',
    ],
  ],
  [
    'a text that is fiction, a rumor or a question',
    text('Paris'),
    [
      'In fiction, the answer is Paris.',
      'According to a false rumor, the answer is Paris.',
      'As a guess, the answer is Paris.',
      'Paris?',
    ],
  ],
  ['a number at first glance', number('5'), ['At first glance, the answer is 5.']],
];

/** The same words where they state an answer. */
const RIGHT: [name: string, truth: Truth, answers: string[]][] = [
  ['a title that asks', text('Red Wolf?'), ['The correct option is Red Wolf?', 'The answer is Red Wolf?']],
  [
    'a title that takes something back',
    text('No, No, Nanette'),
    ['The answer is No, No, Nanette', '### Final Answer\n\nNo, No, Nanette', '<answer>No, No, Nanette</answer>'],
  ],
  [
    'a text',
    text('Paris'),
    [
      'Paris\n\nIt is the capital of France.',
      'So, the answer is Paris.',
      'I think the answer is Paris.',
      'Based on the passages, the answer is Paris.',
      'France has one capital, so the answer is Paris.',
      'The wrong answer is London. The right answer is Paris.',
      '~~London~~ Paris',
      'The answer is Paris ✅',
      "I'd say the answer is Paris.",
    ],
  ],
  [
    'a number',
    number('5'),
    ['2 + 3 = 5, so the answer is 5.', 'Adding them, the answer is 5.', '~~6~~ 5', 'The minimum value is 5.'],
  ],
  [
    'a choice',
    choice('C', TOWNS),
    [
      'Hence option C is correct.',
      'Therefore, C is correct.',
      'Hence C',
      'C, not D',
      'C\nIt is the capital of Italy.',
      'C. Rome',
      'Rome',
      'C is correct',
      'A is wrong. The answer is C.',
    ],
  ],
  [
    'an answer that is shown, or has its source below it',
    text('Paris'),
    [
      'These facts together show that the answer is Paris.',
      'All of this tells us that the answer is Paris.',
      'Paris\n\nSource: passage 2',
      'Paris\nConfidence: 0.9',
    ],
  ],
  [
    'a choice with an article',
    choice('B', CELLS),
    ['a blue cell', 'blue cell', 'A blue cell', 'B. a blue cell', 'The blue cell'],
  ],
  ['a choice that is a denial', choice('A', ['No', 'Yes', 'Not known']), ['A. No', 'A: No', 'No']],
  ['a letter that is a pronoun', choice('I', WORDS), ['I', 'I.', '(I)', 'I. w9', 'The answer is I']],
  [
    'a number that is explained, or corrects another',
    number('6'),
    [
      '\\boxed{6}\n\nThis is because 2 + 4 = 6.',
      '\\boxed{5}\n\nWait, let me double-check. 2 + 4 = 6. Therefore, the answer is 6.',
      '\\boxed{5}\n\nHowever, the correct answer is 6.',
      'Answer: 5\n\nRevised answer: 6',
      'I do not get 5 but \\boxed{6}',
    ],
  ],
  [
    'a text with an explanation behind it',
    text('Paris'),
    [
      '**Paris**\n\nVictor Hugo died in Paris in 1885.',
      'Paris\n\nHe died in Paris in 1885.',
      'The answer is Paris. Hugo died there in 1885.',
      'Answer: Paris. Hugo died there.',
      'The answer is therefore Paris.',
      'The answer is indeed Paris.',
      'The answer is Paris, which is the capital of France.',
      'Paris [1]',
      'Paris (Source: Wikipedia)',
    ],
  ],
  ['a name with dates behind it', text('Walter Scott'), ['The answer is Walter Scott (born 1771).']],
  ['a title that begins like a conclusion', text('Thus Spoke Zarathustra'), ['The answer is Thus Spoke Zarathustra.']],
  ['a number below a heading', number('18'), ['### 1. Answer\n18\n\n### 2. Process Summary\n- calculator: 9*2']],
  [
    'a choice in the phrases of an examination',
    choice('B', COLOURS),
    [
      'The most appropriate answer is **B**.',
      'The best answer choice is B.',
      'The most suitable answer is B.',
      'The most appropriate choice is B.',
      'Among the given options, B is correct.',
      'Upon review, the correct answer is B.',
      'Based on the analysis, option B (blue) is correct.',
      'This matches option B.',
      'The sky is clear, which corresponds to option B.',
      '{"answer": "B"}',
      'The most likely diagnosis is B.',
      'B. blue, as the sky is',
      'B. blue',
    ],
  ],
  ['a number in an object', number('5'), ['{"answer": 5}', '```json\n{"reason": "2 + 3", "answer": "5"}\n```']],
  ['a text in an object', text('Paris'), ['{"answer": "Paris"}']],
  [
    'a yes that is explained',
    text('yes'),
    [
      'Yes, both are American.',
      'Both directors are American, so yes.',
      'Therefore, yes, both are American.',
      'Yes, X is American and Y is also American.',
    ],
  ],
  ['a no that is explained', text('no'), ['No, X is French.', 'No, they do not share a nationality.']],
];

const flat = (table: typeof RIGHT) =>
  table.flatMap(([name, truth, answers]) => answers.map((answer): [string, string, Truth] => [name, answer, truth]));

describe('what looks like the truth', () => {
  it.each(flat(NOT_RIGHT))('is not right: %s, %j', (_, answer, truth) => {
    expect(scoreByRules(answer, truth).ruling satisfies Ruling).not.toBe('right');
  });

  it.each(flat(RIGHT))('is right if it is said: %s, %j', (_, answer, truth) => {
    expect(scoreByRules(answer, truth).ruling satisfies Ruling).toBe('right');
  });
});
