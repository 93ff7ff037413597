/** What a key of the API may do: read what is there, change it, and manage the keys of its project. None holds another. */
export const KEY_SCOPES = ['read', 'submit', 'admin'] as const;

export type KeyScope = (typeof KEY_SCOPES)[number];
