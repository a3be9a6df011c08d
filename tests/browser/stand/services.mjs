/** Services that a browser looks at, and the records of what updated them. */
import { eventually } from "./processes.mjs";
import { servingDockerfile } from "./surroundings.mjs";

/** From a tag to the page that is served: pull, candidate, health gate, switch, and a port that somebody took meanwhile. */
export const UPDATE_MS = 150_000;

/** A repository whose image serves a page with this text. */
export const serving = (text) => ({ Dockerfile: servingDockerfile(), "index.html": `${text}\n` });

/** What a browser would see at an address now. */
export const served = async (url) => (await (await fetch(url, { signal: AbortSignal.timeout(30_000) })).text()).trim();
/** Waits until an address serves a text. */
export const serves = (url, text) => eventually(`${url} serves “${text}”`, async () => (await served(url)) === text, UPDATE_MS);

/** The rows of the trigger log that say this state. */
export const records = (window, state) => window.page.getByRole("row").filter({ hasText: window.t(`firings.state_${state}`) });
