import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApi } from '../testing/test-api.js';
import { createOpenApi, formatOpenApi, OPENAPI_FILE } from './openapi.js';

describe('docs/openapi.json', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  it('describes the routes as they are (else: npm run openapi)', async () => {
    expect(await readFile(OPENAPI_FILE, 'utf8')).toBe(formatOpenApi(createOpenApi(api.app)));
  });

  it('is OpenAPI to a validator that had no part in it', async () => {
    const text = await readFile(OPENAPI_FILE, 'utf8');
    expect(await new Validator().validate(text)).toEqual({ valid: true });
    const broken = await new Validator().validate(text.replaceAll('"in": "path"', '"in": "pth"'));
    expect(broken).toMatchObject({ valid: false });
  });

  it('is what the API itself serves', async () => {
    const { body } = await api.request('get', '/docs-json').expect(200);
    expect(Object.keys((body as { paths: object }).paths)).toContain('/v1/training_runs/{id}/events');
  });
});
