import { describe, expect, it } from '@jest/globals';
import { apiSection } from './api.js';

describe('the section api of the operator’s file', () => {
  it('lets no page in by itself, and many requests', () => {
    expect(apiSection.parse(undefined)).toEqual({
      allowed_origins: [],
      requests_per_minute: 60_000,
      dataset_bytes: 268_435_456,
    });
  });

  it.each(['*', 'app.example', 'https://app.example/', 'https://app.example/path', 'https://*.example', 'null'])(
    'takes no %s for an origin',
    (origin) => {
      expect(apiSection.safeParse({ allowed_origins: [origin] }).success).toBe(false);
    },
  );

  it.each([0, -1, 1.5, '9'])('takes no limit of %j', (requests_per_minute) => {
    expect(apiSection.safeParse({ requests_per_minute }).success).toBe(false);
  });
});
