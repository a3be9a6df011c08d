import { useSyncExternalStore } from "react";

const watchers = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(changed: () => void) {
  watchers.add(changed);
  // While nobody watched, the clock stood.
  if (timer === undefined) now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    watchers.forEach((watcher) => watcher());
  }, 1000);
  return () => {
    watchers.delete(changed);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time in milliseconds, once a second, from one clock for the whole window. */
export const useNow = () => useSyncExternalStore(watch, () => now);

/** Whole seconds since a moment in milliseconds, counted on while it is shown. */
export const useSecondsSince = (at: number) => Math.max(0, Math.floor((useNow() - at) / 1000));
