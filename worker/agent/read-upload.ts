import { readUpload, type UploadedFile } from '../../activities/datasets/uploads/read-upload.js';

/** Reads the uploaded file that its argument tells of, and prints what came of it: a process of its own, with limits. */
process.stdout.write(JSON.stringify(await readUpload(JSON.parse(process.argv[2]) as UploadedFile)));
