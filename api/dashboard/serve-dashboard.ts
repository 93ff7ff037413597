import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Router, static as serveFiles, type RequestHandler } from 'express';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { ApiError } from '../common/api-error.js';

/** Where set-up builds it. */
const DASHBOARD = join(PROJECT_ROOT, 'dist/dashboard');
/** The paths that the dashboard's own router knows (dashboard/src/router.tsx): all of them are one page. */
const PAGES = ['/', '/sign-in', '/runs{/*path}', '/rollouts{/*path}'];

/**
 * Serves the dashboard's files, which hold no data: the pages ask the API for it, signed in. No other path is open.
 * @param directory where the built dashboard is
 */
export function dashboardRouter(directory = DASHBOARD): Router {
  const router = Router();
  router.use(
    '/assets',
    readingOnly,
    // Their names hold what is in them.
    serveFiles(join(directory, 'assets'), { index: false, immutable: true, maxAge: '1y', fallthrough: true }),
  );
  const page = join(directory, 'index.html');
  router.get(PAGES, (_request, response, next) => {
    if (!existsSync(page)) return next(notBuilt());
    response.set('Cache-Control', 'no-cache').sendFile(page);
  });
  return router;
}

const readingOnly: RequestHandler = ({ method }, _response, next) => {
  next(method === 'GET' || method === 'HEAD' ? undefined : 'router');
};

function notBuilt(): ApiError {
  const message = 'The dashboard is not built: run "npm run setup", or see /docs for the API.';
  return new ApiError(503, 'service_unavailable_error', 'dashboard_not_built', message);
}
