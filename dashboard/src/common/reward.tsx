import { number } from './format.js';

/** From red over yellow to green: 0 to 1. Nothing for what was left out. */
function rewardStyle(reward: number | null): { background?: string; color?: string } {
  if (reward === null) return { background: 'var(--mantine-color-gray-light)', color: 'var(--mantine-color-text)' };
  const share = Math.min(1, Math.max(0, reward));
  return { background: `hsl(${Math.round(share * 120)} 60% 82%)`, color: '#111' };
}

export function Reward({ reward }: { reward: number | null }) {
  return (
    <span className="reward" style={rewardStyle(reward)}>
      {reward === null ? 'out' : number(reward)}
    </span>
  );
}
