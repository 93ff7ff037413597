import { describe, expect, it } from '@jest/globals';
import type { OperatorFile } from './operator-file.js';
import { runSettings } from './run-settings.js';

const timeouts = {
  train_heartbeat_s: 30,
  call_heartbeat_s: 10,
  trainer_sticky_s: 20,
  patience_s: 600,
  group_deadline_s: 1200,
};
const key = { env: 'KEY' };

function model(provider: string): OperatorFile['language_models'][string] {
  return { provider, model: 'm', context: 8192, output: 'text', images: false, temperature: true };
}

describe('runSettings', () => {
  it('names the queue of each model whose provider has any limit', () => {
    const settings = runSettings({
      timeouts,
      providers: {
        few: { kind: 'anthropic', key, concurrency: 2 },
        slow: { kind: 'google', key, requests_per_minute: 60 },
        free: { kind: 'xai', key },
      },
      language_models: { a: model('few'), b: model('few'), c: model('slow'), d: model('free') },
    });
    expect(settings).toEqual({
      ...timeouts,
      model_queues: { a: 'agent-llm-few', b: 'agent-llm-few', c: 'agent-llm-slow' },
    });
  });
});
