import { canonicalJson } from '../../infra/artifacts/canonical-json.js';
import type { DatasetFinding } from '../../contracts/dataset-check.js';
import { scoreByRules, wordsOfTruth } from '../scoring/score-by-rules.js';
import { isNoNumber as saysNoNumber } from '../scoring/rules/number.rule.js';
import { isSolvable } from './game24/solvable.js';
import { withoutEntities } from './items/html-entities.js';
import type { Item } from './items/item.js';
import type { Truth } from './items/truth.js';

const SHOWN = 5;
/** An answer of more characters is no short answer. */
const LONG = 200;
/** Answers in one group that are compared with its first. */
const COMPARED = 20;

/** `5-Mar`, `29-May-32`, `Mar-05`, `3/5/1932`, `1932-03-05 00:00:00`. */
const SPREADSHEET_DATE =
  /^(?:\d{1,2}-[A-Z][a-z]{2}(?:-\d{2,4})?|[A-Z][a-z]{2}-\d{2}|\d{1,2}\/\d{1,2}\/\d{2,4}|\d{4}-\d{2}-\d{2} 00:00:00)$/;
const SPREADSHEET_ERROR = /^(?:#{3,}|#(?:REF!|N\/A|NAME\?|VALUE!|DIV\/0!|NUM!|NULL!)|\d(?:\.\d+)?E\+\d{2,})$/;
/** A replacement character, UTF-8 that was read as Windows-1252, or question marks in the place of letters. */
const DAMAGED = /\uFFFD|â€.|Ã[\u0080-\u00bf]|Â[\u00a0-\u00bf]|\?€\?|\p{L}\?{2,}\p{L}/u;

/** What a person should look at in a dataset, told by the ids of questions: no answer is shown. */
export function findingsOf(items: readonly Item[]): DatasetFinding[] {
  return [
    found(items, 'unwinnable', isUnwinnable, () => 'no answer is right by the rules, not even their own'),
    found(items, 'no-number', isNoNumber, () => {
      return 'the answer is no number, but a range, a date or other words: only the same text is right';
    }),
    ...equalAnswers(items),
    found(items, 'equal-choices', hasEqualChoices, (count) => {
      const undecidable = items.filter((item) => hasEqualChoices(item, true)).length;
      return `two choices are the same, the right one among them in ${undecidable} of ${count}: no rule can decide these`;
    }),
    ...twoShapes(items),
    found(
      items,
      'spreadsheet-error',
      (item) => golds(item).some((gold) => SPREADSHEET_ERROR.test(gold)),
      () => {
        return 'the answer is an error or a shortened number of a spreadsheet';
      },
    ),
    found(
      items,
      'damaged-characters',
      (item) => [item.question, ...golds(item)].some((text) => DAMAGED.test(text)),
      () => {
        return 'characters were damaged before: the text was read in another encoding than it was written in';
      },
    ),
    found(
      items,
      'html-entities',
      (item) => [item.question, ...golds(item)].some((text) => withoutEntities(text) !== text),
      () => {
        return 'entities of HTML such as &amp; are in it; an answer that is a text is right as a reader sees it too';
      },
    ),
    found(items, 'joined-answers', isJoined, () => {
      return 'the answer holds ";" or "|": if each part is right alone, register your file with that separator';
    }),
    found(
      items,
      'long-answers',
      (item) => golds(item).some((gold) => isText(item) && gold.length > LONG),
      () => {
        return `the answer has more than ${LONG} characters: rules compare short answers`;
      },
    ),
    ...contradictions(items),
  ].filter(({ count }) => count > 0);
}

function found(
  items: readonly Item[],
  kind: DatasetFinding['kind'],
  is: (item: Item) => boolean,
  says: (count: number) => string,
): DatasetFinding {
  return finding(
    kind,
    items.filter((item) => is(item)).map(({ id }) => id),
    says,
  );
}

function finding(kind: DatasetFinding['kind'], ids: string[], says: (count: number) => string): DatasetFinding {
  return { kind, says: says(ids.length), count: ids.length, first: ids.slice(0, SHOWN) };
}

function golds({ truth }: Item): string[] {
  switch (truth.kind) {
    case 'text':
      return truth.answers;
    case 'number':
    case 'expression':
      return [truth.value];
    case 'short-form':
      return [truth.answer];
    case 'exact-number':
    case 'choice':
    case 'twenty-four':
      return [];
  }
}

function isText({ truth }: Item): boolean {
  return truth.kind === 'text';
}

function isUnwinnable({ truth }: Item): boolean {
  if (truth.kind === 'twenty-four') return !isSolvable(truth.numbers);
  return !wordsOfTruth(truth).some((words) => isRight(words, truth));
}

function isNoNumber({ truth }: Item): boolean {
  return truth.kind === 'number' && saysNoNumber(truth.value);
}

function isRight(answer: string, truth: Truth): boolean {
  return scoreByRules(answer, truth).ruling === 'right';
}

function hasEqualChoices({ truth }: Item, theRightOne = false): boolean {
  if (truth.kind !== 'choice') return false;
  const choices = truth.choices.map((choice) => choice.normalize('NFKC').replace(/\s+/g, ' ').trim());
  const right = choices[truth.letter.charCodeAt(0) - 'A'.charCodeAt(0)];
  const twice = choices.filter((choice, index) => choices.indexOf(choice) !== index);
  return theRightOne ? twice.includes(right) : twice.length > 0;
}

/** The last of several answers is an alias, which may well be a list. */
function isJoined(item: Item): boolean {
  const [gold, ...others] = golds(item);
  return isText(item) && others.length === 0 && /[;|]/.test(gold);
}

/** Answers that are dates of a spreadsheet beside others that are not: it changed what looked like a date to it. */
function twoShapes(items: readonly Item[]): DatasetFinding[] {
  const all = items.filter((item) => golds(item).length > 0);
  const dates = all.filter((item) => golds(item).some((gold) => SPREADSHEET_DATE.test(gold)));
  if (dates.length === all.length) return [];
  const shapes = new Set(
    dates.map((item) => shapeOf(golds(item).find((gold) => SPREADSHEET_DATE.test(gold)) as string)),
  );
  return [
    finding(
      'two-shapes',
      dates.map(({ id }) => id),
      (count) =>
        `${count} of ${all.length} answers are dates as a spreadsheet writes them (${[...shapes].join(', ')}), the others are ` +
        'not: it may have changed what they were',
    ),
  ];
}

/** `29-May-32` is `99-Aaa-99`: how it looks, and not what it is. */
function shapeOf(text: string): string {
  return text.replace(/\d/g, '9').replace(/[A-Z]/g, 'A').replace(/[a-z]/g, 'a');
}

/**
 * Answers of different questions that are written differently, not in case or space alone, and right for each other.
 */
function equalAnswers(items: readonly Item[]): DatasetFinding[] {
  const groups = new Map<string, Map<string, { id: string; gold: string; truth: Truth }>>();
  for (const { id, truth } of items.filter((item) => golds(item).length === 1)) {
    const [gold] = golds({ id, truth } as Item);
    const exact = gold.toLowerCase().replace(/\s+/g, ' ').trim();
    const key = `${truth.kind} ${exact.normalize('NFKD').replace(/[^\p{L}\p{N}]/gu, '')}`;
    const group = groups.get(key) ?? new Map<string, { id: string; gold: string; truth: Truth }>();
    groups.set(key, group.set(exact, { id, gold, truth }));
  }
  const pairs = [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.values();
    return others
      .slice(0, COMPARED)
      .filter(({ gold }) => isRight(gold, first.truth))
      .map(({ id }) => `${first.id} ~ ${id}`);
  });
  return [finding('equal-answers', pairs, () => 'answers that are written differently are right for each other')];
}

/** Questions that are asked twice, with other answers. */
function contradictions(items: readonly Item[]): DatasetFinding[] {
  const known = new Map<string, { id: string; truth: string }>();
  const pairs = items.flatMap(({ id, question, truth }) => {
    const key = question.toLowerCase().replace(/\s+/g, ' ').trim();
    const other = known.get(key);
    if (!other) known.set(key, { id, truth: canonicalJson(truth) });
    return other && other.truth !== canonicalJson(truth) ? [`${other.id} ~ ${id}`] : [];
  });
  return [finding('contradicting-answers', pairs, () => 'the same question has another answer elsewhere')];
}
