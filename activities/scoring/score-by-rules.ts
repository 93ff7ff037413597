import type { Ruling } from '../../contracts/scoring.js';
import type { Truth } from '../datasets/items/truth.js';
import { scoreExactNumber } from './exact-number.js';
import { lastValue, leadsTo, leavesStanding, mentions, type Asked } from './reading/continuation.js';
import { isRefusal } from './reading/refusal.js';
import { finalStatement, statementOf, type Statement } from './reading/statement.js';
import { unwrap, type Notation } from './reading/wrappings.js';
import { choiceRule, namesChoice, namesOther, saysOfOther } from './rules/choice.rule.js';
import { expressionRule, isExpression } from './rules/expression.rule.js';
import { ruled, UNDECIDED, WRONG, type Finding } from './rules/finding.js';
import { holdsNumber, numberRule } from './rules/number.rule.js';
import { shortFormRule } from './rules/short-form.rule.js';
import { namesAnother, textRule } from './rules/text.rule.js';
import { isArithmetic, twentyFourRule } from './rules/twenty-four.rule.js';

/** How the answers of a kind of truth are read, and what its rule says of what was read. */
interface Kind extends Omit<Asked, 'isRight'> {
  notation: Notation;
  rule: (statement: Statement, asked: Asked) => Finding;
}

/** A text that is longer is no second saying of an answer. */
const MAX_SAID = 300;

/** What the rule for this kind of truth says of an answer. */
export function scoreByRules(answer: string, truth: Truth): Finding {
  const kind = kindOf(truth);
  const asked = askedBy(kind);
  const statement = finalStatement(answer, kind.notation, asked);
  if (!statement) return UNDECIDED;
  const finding = kind.rule(statement, asked);
  if (finding.ruling === 'right' && !stands(statement, kind, asked))
    return { ...finding, ruling: literally(answer, kind, asked) };
  if (finding.ruling === 'wrong')
    return isOpenlyWrong(statement, asked) ? finding : { ...finding, ruling: 'undecided' };
  return finding.ruling === 'undecided' && isRefusal(statement.readings.at(-1)!) ? { ...finding, ...WRONG } : finding;
}

function askedBy(kind: Kind): Asked {
  const asked: Asked = {
    ...kind,
    isRight: (text) => text.length <= MAX_SAID && kind.rule(statementOf(text, kind.notation), asked).ruling === 'right',
  };
  return asked;
}

/** The text that an answer says, whatever the rule says of it. */
export function saidText(answer: string, truth: Truth): string {
  const kind = kindOf(truth);
  return finalStatement(answer, kind.notation, askedBy(kind))?.readings[0] ?? '';
}

/** Whether nothing around a right answer takes it back. */
function stands({ around }: Statement, { notation, rule }: Kind, asked: Asked): boolean {
  const { isMarked, before, after, others } = around;
  return (
    leadsTo(before, notation) &&
    leavesStanding(after, asked, isMarked) &&
    others.every((other) => rule(other, asked).ruling === 'right')
  );
}

/** A truth may hold such words itself: `The answer is You. But not now` is right for the text that it is. */
function literally(answer: string, { rule }: Kind, asked: Asked): Ruling {
  const whole = unwrap(answer, 'words')[0];
  const said: Statement = { ...statementOf(whole, 'words'), readings: [''] };
  return rule({ ...said, verbatim: [whole] }, asked).ruling === 'right' ? 'right' : 'undecided';
}

/** A truth may look like a doubt itself, or be said behind a wrong answer that is taken back. */
function isOpenlyWrong({ isDoubted, around }: Statement, asked: Asked): boolean {
  return !isDoubted && !mentions(around.after, asked);
}

const never = (): boolean => false;
/** Numbers that count what was read: `passage 2`. */
const PLACES =
  /\b(?:passages?|steps?|documents?|sections?|tables?|figures?|lines?|parts?|equations?) \(?\d+\)?|\[\d+\]/gi;

/** A number in a sentence, unless it ends in the right one. */
function namesNumber(isRight: (value: string) => boolean): Asked['isRival'] {
  return (sentence) => {
    const text = sentence.replace(PLACES, '');
    return /[\p{N}\\=]/u.test(text) && !isRight(lastValue(text));
  };
}

function kindOf(truth: Truth): Kind {
  const ofNumbers = (isAnswer: Asked['isAnswer'], rule: Kind['rule']): Kind => {
    const isRight = (text: string) =>
      rule(statementOf(text, 'mathematics'), {
        notation: 'mathematics',
        isAnswer,
        isRight: never,
        isRival: never,
        isOther: never,
      }).ruling === 'right';
    return { notation: 'mathematics', isAnswer, isRival: namesNumber(isRight), isOther: never, rule };
  };
  const ofTexts = (rule: Kind['rule']): Kind => ({
    notation: 'words',
    isAnswer: (text) => text !== '',
    isRival: namesAnother,
    isOther: never,
    rule,
  });
  switch (truth.kind) {
    case 'exact-number':
      return ofNumbers(holdsNumber, ({ readings }) =>
        ruled(readings.some((text) => scoreExactNumber(text, truth.value) === 1)),
      );
    case 'number':
      return ofNumbers(holdsNumber, (said) => numberRule(said, truth.value));
    case 'expression':
      return ofNumbers(isExpression, (said) => expressionRule(said, truth.value));
    case 'twenty-four':
      return {
        ...ofNumbers(isArithmetic, (said, asked) => twentyFourRule(said, truth.numbers, asked)),
        isRival: namesNumber((value) => value === '24'),
      };
    case 'choice':
      return {
        notation: 'words',
        isAnswer: namesChoice(truth.choices),
        isRival: namesOther(truth.letter, truth.choices),
        isOther: saysOfOther(truth.letter),
        rule: (said) => choiceRule(said, truth.letter, truth.choices),
      };
    case 'text':
      return ofTexts((said) => textRule(said, truth.answers));
    case 'short-form':
      return ofTexts((said) => shortFormRule(said, truth.answer));
  }
}

/** The right answers in words: for a judge, and for the reason of a training question's score. */
export function wordsOfTruth(truth: Truth): string[] {
  switch (truth.kind) {
    case 'exact-number':
    case 'number':
    case 'expression':
      return [String(truth.value)];
    case 'choice':
      return [`${truth.letter}. ${truth.choices[truth.letter.charCodeAt(0) - 'A'.charCodeAt(0)]}`];
    case 'text':
      return truth.answers;
    case 'short-form':
      return [truth.answer];
    case 'twenty-four':
      return [`an expression of ${truth.numbers.join(', ')} that makes 24`];
  }
}
