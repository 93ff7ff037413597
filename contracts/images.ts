import type { ImageRef } from './flow.js';

/** Most pictures of one question. */
export const MAX_IMAGES = 4;
/** Most bytes that most providers take for one picture. */
export const MAX_IMAGE_BYTES = 4 * 1024 * 1024;

/** How the files of each type begin, in hexadecimal. `RIFF` of WebP is followed by its length. */
const SIGNATURES: Record<ImageRef['mediaType'], RegExp> = {
  'image/png': /^89504e470d0a1a0a/,
  'image/jpeg': /^ffd8ff/,
  'image/webp': /^52494646.{8}57454250/,
  'image/gif': /^474946383[79]61/,
};
/** Bytes that the longest signature covers. */
const LONGEST = 12;

export const IMAGE_TYPES = Object.keys(SIGNATURES) as ImageRef['mediaType'][];

/** The type of a picture by how its file begins; undefined for anything else. */
export function imageTypeOf(content: Uint8Array): ImageRef['mediaType'] | undefined {
  const beginning = Array.from(content.subarray(0, LONGEST), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return IMAGE_TYPES.find((type) => SIGNATURES[type].test(beginning));
}
