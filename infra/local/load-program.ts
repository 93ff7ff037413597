/** Loads the rest of a program, which needs the Node packages: if they are not there, a sentence says what makes them. */
export async function loadProgram(load: () => Promise<unknown>): Promise<void> {
  try {
    await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
    console.error(
      `The Node packages are not installed, or not all of them: ${message}. Install them with: npm run setup`,
    );
    process.exitCode = 1;
  }
}
