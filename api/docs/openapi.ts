import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { componentSchemas } from '../common/json-schema.js';

/** The checked-in description, which a test compares with the routes. */
export const OPENAPI_FILE = join(PROJECT_ROOT, 'docs/openapi.json');

/** The OpenAPI description of every route. */
export function createOpenApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Durable AgentFlow')
    .setDescription('Submit training runs, watch and steer them, and read every rollout.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth()
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...componentSchemas() } };
  return document;
}

/** Serves it at /docs (a page to try it on), /docs-json and /docs-yaml. */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => createOpenApi(app), { customSiteTitle: 'Durable AgentFlow API' });
}

/** The text of the file. */
export function formatOpenApi(document: OpenAPIObject): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
