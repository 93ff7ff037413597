import { readFile, stat } from 'node:fs/promises';
import { IMAGE_TYPES, imageTypeOf, MAX_IMAGE_BYTES, MAX_IMAGES } from '../../contracts/images.js';
import type { QuestionInput } from '../client/api-types.js';
import { CliError } from '../cli-error.js';

type QuestionImage = NonNullable<QuestionInput['images']>[number];

/**
 * Pictures as they are sent. Their types are told by what is in the files, not by their names.
 * @throws CliError for too many, and for a file that cannot be read, is too large or is no picture
 */
export async function readImages(files: readonly string[]): Promise<QuestionImage[]> {
  if (files.length > MAX_IMAGES) {
    throw new CliError(`--image: a question has at most ${MAX_IMAGES} pictures, and these are ${files.length}.`);
  }
  return Promise.all(files.map(readImage));
}

async function readImage(file: string): Promise<QuestionImage> {
  const content = await readBounded(file);
  const type = imageTypeOf(content);
  if (type === undefined) throw new CliError(`--image ${file}: is no picture of ${IMAGE_TYPES.join(', ')}.`);
  return { media_type: type, data: content.toString('base64') };
}

async function readBounded(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_IMAGE_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_IMAGE_BYTES}`);
    return await readFile(file);
  } catch (error) {
    throw new CliError(`--image ${file}: cannot be sent: ${(error as Error).message}.`, 1, { cause: error });
  }
}
