import { Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { memo, useRef, useState, type CSSProperties, type KeyboardEvent, type SyntheticEvent } from 'react';
import { number } from '../common/format.js';
import { heatOf, moved, type Measure } from './token-heat.js';

interface Sampled {
  tokenIds: number[];
  logprobs: number[];
  /** The rollout's: each of its sampled tokens has it. */
  advantage: number | null;
}

/** The sampled tokens of a turn as a heat map: one by one with the pointer, or with the arrow keys. */
export function TokenMap({ name, ...sampled }: Sampled & { name: string }) {
  const [measure, setMeasure] = useState<Measure>('logprob');
  const [shown, setShown] = useState<string>();
  const row = useRef<HTMLDivElement>(null);

  const show = ({ target }: SyntheticEvent) => setShown((target as HTMLElement).ariaLabel ?? undefined);
  const move = (event: KeyboardEvent) => {
    const tokens = Array.from(row.current!.children) as HTMLElement[];
    const to = moved(event.key, tokens.indexOf(event.target as HTMLElement), tokens.length);
    if (to === undefined) return;
    event.preventDefault();
    tokens[to].focus();
  };

  return (
    <Stack component="section" aria-label={name} gap="xs" mt="xs">
      <Group gap="xs">
        <SegmentedControl
          size="xs"
          aria-label="Colour of the tokens"
          value={measure}
          onChange={(value) => setMeasure(value as Measure)}
          data={[
            { value: 'logprob', label: 'Log-prob' },
            { value: 'advantage', label: 'Advantage' },
          ]}
        />
        <Text size="sm" c="dimmed">
          Entropy: not recorded
        </Text>
      </Group>
      <div
        ref={row}
        className="tokens"
        role="listbox"
        tabIndex={0}
        aria-label="Sampled tokens"
        onKeyDown={move}
        onFocus={(event) => event.target !== row.current && show(event)}
        onPointerOver={(event) => event.target !== row.current && show(event)}
      >
        <Tokens measure={measure} {...sampled} />
      </div>
      <Text size="sm" className="number">
        {shown ?? 'Point at a token, or go to it with the arrow keys.'}
      </Text>
    </Stack>
  );
}

/** Drawn again for another measure alone: there may be thousands. */
const Tokens = memo(function Tokens({ tokenIds, logprobs, advantage, measure }: Sampled & { measure: Measure }) {
  return tokenIds.map((id, index) => {
    const value = measure === 'logprob' ? logprobs[index] : advantage;
    const label = `Token ${number(index + 1)}, id ${id}: log-prob ${number(logprobs[index])}, advantage ${number(advantage)}`;
    return (
      <span
        key={index}
        className="token"
        role="option"
        aria-selected={false}
        aria-label={label}
        tabIndex={-1}
        data-sign={measure === 'advantage' && value !== null && value > 0 ? 'good' : 'bad'}
        style={{ '--heat': `${Math.round(heatOf(measure, value) * 45)}%` } as CSSProperties}
      >
        {id}
      </span>
    );
  });
});
