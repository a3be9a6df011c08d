import { useCallback, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { AuthorizationStateView, AuthorizeWayForm, BeginAuthorization } from "../../../host/bindings";
import { useHost } from "../../../host/context";
import { failureOf, type ShownFailure } from "../../../host/host";
import { useCall, useRead } from "../../../host/reads";

/** What is authorized: where, for what, and again for which account. */
export type Wanted = Omit<BeginAuthorization, "way" | "language">;

/** The event that ends a session says so at once; asking makes up for one that was missed. */
const ASK_EVERY_MS = 2000;

/** One authorization at a time that a person finishes elsewhere: begun, waited for, ended or given up. Leaving cancels it. */
export function useAuthorization(onEnd: (state: AuthorizationStateView) => void) {
  const { i18n } = useTranslation();
  const { host } = useHost();
  const begin = useCall("accounts.authorize_begin");
  const cancel = useCall("accounts.authorize_cancel");
  const session = begin.data?.session;
  const waits = useRef<number | null>(null);
  const read = useRead("accounts.authorize_state", { session: session ?? 0 }, { enabled: session !== undefined, every: ASK_EVERY_MS });
  const state = session === undefined ? undefined : read.data;
  const told = useRef<number | null>(null);
  const end = useRef(onEnd);
  end.current = onEnd;
  useEffect(() => {
    if (!state || session === undefined || state.kind === "waiting") return;
    waits.current = null;
    if (told.current === session) return;
    told.current = session;
    end.current(state);
  }, [state, session]);
  useEffect(
    () => () => {
      if (waits.current !== null) void host.call("accounts.authorize_cancel", { session: waits.current }).catch(() => undefined);
    },
    [host],
  );
  const start = useCallback(
    (wanted: Wanted, way: AuthorizeWayForm) =>
      begin.mutate(
        { ...wanted, way, language: i18n.language === "zh" ? "zh" : "en" },
        {
          onSuccess: (begun) => {
            waits.current = begun.session;
            void host.openLink(begun.page);
          },
        },
      ),
    [begin, host, i18n.language],
  );
  const stop = () => session !== undefined && cancel.mutate({ session }, { onSettled: () => begin.reset() });
  return {
    begun: begin.data,
    isBeginning: begin.isPending,
    isWaiting: session !== undefined && (state === undefined || state.kind === "waiting"),
    failure: begin.error ? failureOf(begin.error) : state ? endOf(state) : null,
    start,
    stop,
    isStopping: cancel.isPending,
    forget: begin.reset,
  };
}

/** How a session ended that brought no account; none when it was cancelled here. */
function endOf(state: AuthorizationStateView): ShownFailure | null {
  switch (state.kind) {
    case "denied":
      return { code: "authorization_denied", message: "" };
    case "expired":
      return { code: "authorization_expired", message: "" };
    case "failed":
      return state.failure;
    default:
      return null;
  }
}
