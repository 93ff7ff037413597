import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure, DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { readSecret } from '../../infra/config/secrets.js';
import { redactingErrors } from './redacting-errors.js';

const KEY = readSecret({ env: 'KEY' }, { KEY: 'key-of-an-error' });

async function thrown(error: unknown): Promise<unknown> {
  const { fails } = redactingErrors({ fails: () => Promise.reject(error as Error) });
  return fails().catch((caught: unknown) => caught);
}

describe('redactingErrors', () => {
  it('cleans message, stack and causes of what an activity throws, and keeps the error itself', async () => {
    const error = new Error('no postgres://me:hunter2@db', { cause: new Error('password=hunter2') });
    expect(await thrown(error)).toBe(error);
    expect(`${error.message} ${error.stack} ${(error.cause as Error).message}`).not.toContain('hunter2');
  });

  it('cleans what libraries attach: headers, bodies, details, the errors of an aggregate, a cause that is no error', async () => {
    const attached = {
      responseHeaders: { 'www-authenticate': `Bearer realm="${KEY}"` },
      responseBody: JSON.stringify({ said: KEY }),
      data: [{ deep: { deeper: [KEY] } }],
    };
    const cases = [
      Object.assign(new Error('no'), attached),
      ApplicationFailure.create({ message: 'no', type: KEY, details: [attached, KEY] }),
      new AggregateError([new Error(KEY)], 'all failed'),
      new Error('no', { cause: attached }),
      attached,
      KEY,
    ];
    for (const error of cases) {
      const caught = await thrown(error);
      const all = JSON.stringify(caught, (_, value: unknown) =>
        value instanceof Error
          ? Object.fromEntries(Object.getOwnPropertyNames(value).map((name) => [name, value[name as 'message']]))
          : value,
      );
      expect(all).not.toContain(KEY);
    }
  });

  it('changes nothing that may be in use: a request with its client is taken off the error', async () => {
    class Client {
      headers = { authorization: KEY };
    }
    const client = new Client();
    const error = Object.assign(new Error('no'), { client, nextRetryDelay: 7 });
    expect(await thrown(error)).toMatchObject({ client: undefined, nextRetryDelay: 7 });
    expect(client.headers.authorization).toBe(KEY);
  });

  it('ends where causes go round in a circle, and leaves what cannot be changed', async () => {
    const error: Error & { self?: unknown } = new Error(KEY);
    error.cause = error;
    error.self = { error };
    expect(await thrown(error)).toBe(error);
    expect(error.message).toBe('***');
    expect(await thrown(Object.freeze(new Error('frozen')))).toBeInstanceOf(Error);
  });

  it.each([
    ['an error', () => new Error('half \ud800 a character', { cause: new Error('\udfff') })],
    [
      'a failure with details',
      () => ApplicationFailure.create({ message: '\ud800', type: '\ud800', details: ['\ud800'] }),
    ],
    ['a text', () => 'text \u0000 \ud800'],
  ])('%s with half of a character can be sent to Temporal', async (_, make) => {
    const error = await thrown(make());
    const failure = new DefaultFailureConverter().errorToFailure(error, defaultPayloadConverter);
    const sent = temporal.api.failure.v1.Failure.encode(failure).finish();
    const texts = JSON.stringify(
      temporal.api.failure.v1.Failure.toObject(temporal.api.failure.v1.Failure.decode(sent)),
    );
    expect(isWellFormed(failure)).toBe(true);
    expect(texts).toContain('\ufffd');
  });
});

/** Whether all texts in it are. */
function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return isText(value);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  return Object.entries(value).every(([key, of]) => isText(key) && isWellFormed(of));
}

function isText(value: string): boolean {
  return Buffer.from(value).toString() === value;
}
