import type { TurnRecord } from '../../contracts/flow.js';

/** The value of a fact such as `area of Hexley`, where a look-up has brought it: its sentence says "... is 4312". */
export function factFound(memory: readonly TurnRecord[], fact: string): string | undefined {
  const texts = memory.filter(({ tool }) => tool === 'lookup').map(({ result }) => result ?? '');
  return new RegExp(`${fact} is (\\d+)`).exec(texts.join('\n'))?.[1];
}
