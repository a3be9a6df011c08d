import type { TFunction } from "i18next";

const SPANS = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** A span in its largest whole unit: "12 s", "3 min". */
export function spanWords(t: TFunction, seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  for (const [unit, size] of SPANS) {
    if (whole >= size) return t(`time.${unit}`, { count: Math.floor(whole / size) });
  }
  return t("time.second", { count: 0 });
}

/** A span in its two largest units, as durations of builds are read: "1 min 12 s". Below ten seconds with a tenth, and never as nothing. */
export function durationWords(t: TFunction, milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds > 0 && seconds < 0.05) return t("time.instant");
  if (seconds < 9.95) return t("time.second", { count: Number(seconds.toFixed(1)) });
  const whole = Math.round(seconds);
  const at = SPANS.findIndex(([, size]) => whole >= size);
  return SPANS.slice(at, at + 2)
    .map(([unit, size], index) => {
      const above = index === 0 ? Number.POSITIVE_INFINITY : (SPANS[at]?.[1] ?? 1);
      return { unit, count: Math.floor((whole % above) / size) };
    })
    .filter(({ count }) => count > 0)
    .map(({ unit, count }) => t(`time.${unit}`, { count }))
    .join(" ");
}

/** "2 min ago", "in 5 s"; relative to now, both in milliseconds. */
export function relativeWords(t: TFunction, at: number, now: number): string {
  const seconds = (now - at) / 1000;
  // The window's clock ticks once a second, so what just happened may seem to lie ahead.
  if (Math.abs(seconds) < 1.5) return t("time.now");
  return seconds > 0
    ? t("time.ago", { span: spanWords(t, seconds) })
    : t("time.in", { span: spanWords(t, Math.ceil(-seconds)) });
}

/** Bytes in decimal units, as registries and engines print them. */
export function bytesWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `refs/heads/main` → `main`. */
export const shortRef = (name: string) => name.replace(/^refs\/(heads|tags)\//, "");

/** The seven digits that people know a commit by. */
export const shortCommit = (id: string) => id.slice(0, 7);

/** `sha256:9c1f…` cut to what is still recognised. */
export const shortDigest = (digest: string) => digest.replace(/^(\w+:)?([0-9a-f]{12})[0-9a-f]*$/, "$1$2");

/** `linux/arm/v7`. */
export const platformText = (platform: { os: string; architecture: string; variant?: string | null }) =>
  [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
