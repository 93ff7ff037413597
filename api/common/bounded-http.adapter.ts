import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { NestApplicationOptions } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { ApiError } from './api-error.js';
import { newRequestId, REQUEST_ID } from './request-id.js';

/** How long a client may take over its side of a connection, in milliseconds. */
export const CONNECTION_BOUNDS = {
  /** Until a request's headers are there. Also on a connection on which nothing was ever sent. */
  headersTimeout: 10_000,
  /** Until a whole request is there. An upload may be large; all other bodies have a bound of their own. */
  requestTimeout: 3_600_000,
  /** Between two requests. */
  keepAliveTimeout: 5_000,
  /** How often the first two are checked: at Node's interval of 30 s they would last much longer. */
  connectionsCheckingInterval: 1_000,
};

/** Express on a server that never waits for a client without end, and whose errors on bad HTTP have the API's shape. */
export class BoundedHttpAdapter extends ExpressAdapter {
  override initHttpServer(options: NestApplicationOptions): void {
    super.initHttpServer(options);
    const server = this.getHttpServer() as Server;
    Object.assign(server, CONNECTION_BOUNDS);
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuse(socket, toApiError(error)));
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const message = `The server cannot do what the request expects: ${request.headers.expect}. It knows 100-continue.`;
      const error = new ApiError(417, 'invalid_request_error', 'unknown_expectation', message, { param: 'Expect' });
      const body = Buffer.from(JSON.stringify(error.toBody()));
      const type = { 'content-type': 'application/json; charset=utf-8', [REQUEST_ID]: newRequestId() };
      response.writeHead(error.status, { ...type, 'content-length': body.length, connection: 'close' }).end(body);
    });
  }
}

function toApiError({ code }: NodeJS.ErrnoException): ApiError {
  switch (code ?? '') {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ApiError(408, 'invalid_request_error', 'request_too_slow', 'The request did not arrive in time.');
    case 'HPE_HEADER_OVERFLOW':
      return new ApiError(431, 'invalid_request_error', 'headers_too_large', 'The headers are larger than 16 KiB.');
    default:
      return new ApiError(400, 'invalid_request_error', 'bad_http', 'This is not HTTP/1.1 that can be understood.');
  }
}

function refuse(socket: Socket, error: ApiError): void {
  // As in Node's own handler: a request that is half answered cannot be answered again.
  const open = (socket as Socket & { _httpMessage?: { _headerSent: boolean } | null })._httpMessage;
  if (!socket.writable || open?._headerSent) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(error.toBody());
  socket.end(
    `HTTP/1.1 ${error.status} ${error.code}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${REQUEST_ID}: ${newRequestId()}\r\nConnection: close\r\n\r\n${body}`,
  );
}
