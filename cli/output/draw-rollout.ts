import type { Rollout } from '../client/api-types.js';
import { harmless } from '../context.js';
import { partsOf, type RolloutPart } from './rollout-parts.js';
import type { Style } from './style.js';
import { wrap } from './wrap.js';

export interface DrawnLine {
  text: string;
  style?: Style;
}

const COLUMNS = 80;
/** Where texts begin: all that a model or a tool wrote stands behind the names. */
const INDENT = 11;
/** Of a text: a tool may find a page, and a plan is told whole. */
const MOST_LINES: Partial<Record<RolloutPart['name'], number>> = { result: 8, call: 20 };
const USUAL_LINES = 12;

/** A rollout for a person at a terminal: turn by turn, in 80 columns. */
export function drawRollout(rollout: Rollout): DrawnLine[] {
  const { id, purpose, step, group, rollout: index } = rollout;
  const place = purpose === 'train' ? `step ${step}, group ${group}, rollout ${index}` : `${purpose} of step ${step}`;
  const lines: DrawnLine[] = [{ text: id, style: 'bold' }, { text: place }, { text: '' }];
  let turn: number | undefined;
  for (const part of partsOf(rollout)) {
    if (part.turn !== turn) {
      lines.push({ text: '' });
      if (part.turn !== undefined) lines.push({ text: `turn ${part.turn}`, style: 'bold' });
    }
    turn = part.turn;
    lines.push(...drawPart(part));
  }
  return lines;
}

function drawPart(part: RolloutPart): DrawnLine[] {
  const indent = part.turn === undefined ? '' : '  ';
  const all = wrap(harmless(part.text).trim(), COLUMNS - INDENT);
  const most = MOST_LINES[part.name] ?? USUAL_LINES;
  const shown = all.length > most ? [...all.slice(0, most), `… ${all.length - most} more lines: --json`] : all;
  return shown.map((line, index) => ({
    text: `${`${indent}${index === 0 ? part.name : ''}`.padEnd(INDENT)}${line}`.trimEnd(),
    style: styleOf(part),
  }));
}

function styleOf({ name, text }: RolloutPart): Style | undefined {
  if (name === 'mistake') return 'red';
  if (name === 'verdict') return text.startsWith('STOP') ? 'green' : 'yellow';
  return name === 'answer' || name === 'reward' || name === 'advantage' ? 'bold' : undefined;
}
