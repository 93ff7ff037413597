import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** The API serves what is built (api/dashboard); `npm run dev:dashboard` asks a running stack for everything else. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    outDir: fileURLToPath(new URL('../dist/dashboard', import.meta.url)),
    emptyOutDir: true,
    // The policy of the API's pages lets no data: address be a script or a font.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_500,
    // "use client" of component libraries says nothing to a page that has no server part.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
});
