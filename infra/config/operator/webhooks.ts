import { z } from 'zod';
import { addressRanges } from './web-access.js';

/** What the webhooks of users may reach. */
export const webhooksSection = z
  .strictObject({ addresses: addressRanges })
  .prefault({})
  .describe('What the webhooks of users may reach (docs/webhooks.md).');
