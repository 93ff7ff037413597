import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';
import { promisify } from 'node:util';
import { Agent, buildConnector } from 'undici';
import type { AddressRules } from '../../../infra/http/addresses.js';
import { notPublic } from '../../../infra/http/guarded-url.js';
import { WebRefused } from './web-errors.js';

/** Every address of a host name. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

const resolveAll = promisify(lookup);

/** As every other program of this machine resolves names. */
export const systemResolve: Resolve = (host) => resolveAll(host, { all: true });

/**
 * Connections to permitted addresses only. A name is resolved once for each connection, and the connection is made to
 * the very addresses that were checked: a second answer of the name server changes nothing. One address that is not
 * permitted makes the name refused. The connected socket is compared once more, before anything is sent.
 */
export function guardedAgent(addresses: AddressRules, resolve: Resolve, timeoutMs: number): Agent {
  const connector = buildConnector({ lookup: guardedLookup(addresses, resolve), timeout: timeoutMs });
  return new Agent({
    connect: (options, callback) =>
      connector(options, (error, socket) => {
        if (error) return callback(error, null);
        const refused = refusal(socket, options.hostname, addresses);
        if (!refused) return callback(null, socket);
        socket.destroy();
        callback(refused, null);
      }),
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
}

function refusal(socket: Socket, host: string, addresses: AddressRules): Error | undefined {
  return addresses.permit(socket.remoteAddress ?? '') ? undefined : refused(host);
}

function refused(host: string): WebRefused {
  return new WebRefused('refused', notPublic(host));
}

function guardedLookup(addresses: AddressRules, resolve: Resolve): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (found) => {
        if (!found.every(({ address }) => addresses.permit(address))) return callback(refused(host), []);
        if (options.all) return callback(null, found);
        callback(null, found[0].address, found[0].family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}
