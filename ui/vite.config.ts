import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  clearScreen: false,
  // The product's icon is drawn once, in icons/ beside the desktop package.
  server: { fs: { allow: [".", "../icons"] } },
  build: {
    target: "es2023",
    // Fonts and pictures stay files: the content policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1100,
  },
});
