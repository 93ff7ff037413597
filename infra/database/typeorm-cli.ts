import { createDataSource } from './data-source.js';

const url = process.env['DATABASE_URL'];
if (!url) throw new Error('DATABASE_URL is not set: export the URL of the PostgreSQL to work on.');

/** For `typeorm migration:generate|run|show -d dist/infra/database/typeorm-cli.js`. */
export default createDataSource(url, 'migrations');
