import { StandardSchemaValidationPipe, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import { AppModule } from './app.module.js';
import { AuditLogService } from './audit-log/audit-log.service.js';
import { auditBeginMiddleware, auditEndMiddleware } from './audit-log/audit.middleware.js';
import { AuthService } from './auth/auth.service.js';
import { authenticateMiddleware } from './auth/authenticate.middleware.js';
import { rateLimitMiddleware } from './auth/rate-limit.middleware.js';
import { BoundedHttpAdapter } from './common/bounded-http.adapter.js';
import { bodyMiddlewares } from './common/body.middleware.js';
import { corsOptions } from './common/cors.js';
import { deadlineMiddleware } from './common/deadline.middleware.js';
import { ErrorsFilter } from './common/errors.filter.js';
import { dashboardRouter } from './dashboard/serve-dashboard.js';
import { hostMiddleware } from './common/host.middleware.js';
import { invalidRequest } from './common/invalid-request.js';
import { requestIdMiddleware } from './common/request-id.js';
import type { Dependencies } from './dependencies.module.js';
import { serveDocs } from './docs/openapi.js';

/**
 * Helmet's, but for what the dashboard and the documentation do not need: fonts and styles of other hosts. Component
 * libraries write styles; scripts come as files of this origin alone.
 */
const CONTENT_SECURITY = {
  upgradeInsecureRequests: null,
  connectSrc: ["'self'"],
  fontSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  frameAncestors: ["'none'"],
};

export interface AppOptions {
  logger?: LoggerService | false;
}

/** The API, ready to listen. Nothing is read or routed before the host name and the key have been checked. */
export async function createApp(
  dependencies: Dependencies,
  { logger }: AppOptions = {},
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule.of(dependencies), new BoundedHttpAdapter(), {
    bodyParser: false,
    forceCloseConnections: true,
    abortOnError: false,
    ...(logger !== undefined && { logger }),
  });
  app.disable('x-powered-by');
  const auditLog = app.get(AuditLogService);
  const { allowed_origins: origins, requests_per_minute: limit } = dependencies.operator.api;
  app.use(
    requestIdMiddleware(),
    deadlineMiddleware(),
    auditEndMiddleware(auditLog),
    // The API is served over plain HTTP on the loopback interface: nothing may send its pages to HTTPS.
    helmet({ hsts: false, contentSecurityPolicy: { directives: CONTENT_SECURITY } }),
    hostMiddleware(origins),
    dashboardRouter(),
  );
  // A browser asks without a key whether it may ask: before the key is looked for.
  if (origins.length > 0) app.enableCors(corsOptions(origins));
  app.use(
    authenticateMiddleware(app.get(AuthService)),
    rateLimitMiddleware(limit),
    auditBeginMiddleware(auditLog),
    ...bodyMiddlewares(),
  );
  app.useGlobalFilters(new ErrorsFilter());
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: invalidRequest }));
  serveDocs(app);
  return app;
}
