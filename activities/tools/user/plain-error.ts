import { z } from 'zod';

/** What process/main.mjs says of an error. */
export interface PlainError {
  name: string;
  message: string;
  code?: string | number;
  status?: string | number;
  statusCode?: string | number;
  details?: string | number;
  cause?: PlainError;
  errors?: PlainError[];
}

const scalar = z.union([z.string(), z.number()]).optional();

export const plainErrorSchema: z.ZodType<PlainError> = z.lazy(() =>
  z.object({
    name: z.string(),
    message: z.string(),
    code: scalar,
    status: scalar,
    statusCode: scalar,
    details: scalar,
    cause: plainErrorSchema.optional(),
    errors: z.array(plainErrorSchema).optional(),
  }),
);

/** The error again, with all that tells an outage from a defect. */
export function toError({ message, cause, errors, ...rest }: PlainError): Error {
  const error = new Error(message, cause && { cause: toError(cause) });
  return Object.assign(error, rest, errors && { errors: errors.map(toError) });
}
