// Preloaded into an API process of the built product (`node --import`), so that a request can end the process at a named
// point. A point follows each effect that outlives the process: a transaction that changed something, a statement outside
// of one, a call that Temporal answered, a file that was moved or removed. Wherever else a kill falls, it falls between two
// of them. A request says by the header `x-die-after` after which point the process kills itself; without the header its
// points are written to the file that AGENTFLOW_TEST_POINTS names.
import { AsyncLocalStorage } from 'node:async_hooks';
import { appendFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import http from 'node:http';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import pg from 'pg';

const ofTemporal = createRequire(createRequire(import.meta.url).resolve('@temporalio/client'));
const grpc = ofTemporal('@grpc/grpc-js');

/** The request in whose course something happens, however late. */
const requests = new AsyncLocalStorage();

const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, ...args) {
  if (event !== 'request' || args[0].method === 'GET') return emit.call(this, event, ...args);
  const request = { dieAfter: args[0].headers['x-die-after'], seen: new Map() };
  return requests.run(request, () => {
    reached('request');
    return emit.call(this, event, ...args);
  });
};

function reached(effect) {
  const request = requests.getStore();
  if (!request) return;
  const times = (request.seen.get(effect) ?? 0) + 1;
  request.seen.set(effect, times);
  const point = times === 1 ? effect : `${effect} ${times}`;
  if (request.dieAfter === point) process.kill(process.pid, 'SIGKILL');
  if (request.dieAfter === undefined) appendFileSync(process.env.AGENTFLOW_TEST_POINTS, `${point}\n`);
}

const CHANGE = /\b(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)/i;
/** What the open transaction of a connection has changed. */
const transactions = new WeakMap();

const query = pg.Client.prototype.query;
pg.Client.prototype.query = function (...args) {
  const result = query.apply(this, args);
  if (typeof result?.then !== 'function') return result;
  const effect = effectOf(this, typeof args[0] === 'string' ? args[0] : args[0].text);
  if (!effect) return result;
  return result.then((rows) => {
    reached(effect);
    return rows;
  });
};

/** What a statement makes last, if it does. */
function effectOf(connection, text) {
  if (/^\s*(BEGIN|START TRANSACTION)/i.test(text)) transactions.set(connection, []);
  if (/^\s*ROLLBACK\s*$/i.test(text)) transactions.delete(connection);
  const changes = transactions.get(connection);
  const [, verb, table] = CHANGE.exec(text) ?? [];
  const change = table && `${verb.split(' ')[0].toLowerCase()} ${table}`;
  if (change && changes) changes.push(change);
  if (!/^\s*COMMIT/i.test(text)) return changes ? undefined : change;
  transactions.delete(connection);
  return changes?.length ? [...new Set(changes)].join(', ') : undefined;
}

const READING = /^(Count|Describe|Get|List|Query)/;
const call = grpc.Client.prototype.makeUnaryRequest;
grpc.Client.prototype.makeUnaryRequest = function (path, ...args) {
  const name = path.split('/').at(-1);
  if (READING.test(name)) return call.call(this, path, ...args);
  const answered = args.pop();
  const request = requests.getStore();
  const told = (...answer) => {
    requests.run(request, () => reached(name));
    return answered(...answer);
  };
  return call.call(this, path, ...args, told);
};

for (const name of ['rename', 'rm', 'unlink']) {
  const change = promises[name];
  promises[name] = async (...args) => {
    const result = await change(...args);
    reached(name);
    return result;
  };
}
syncBuiltinESMExports();
