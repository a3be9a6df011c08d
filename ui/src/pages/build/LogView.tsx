import { ActionIcon, Button, Group, Text, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import {
  IconArrowBarToDown,
  IconChevronDown,
  IconChevronUp,
  IconClock,
  IconCopy,
  IconDownload,
  IconSearch,
  IconTextWrap,
} from "@tabler/icons-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { failureKeys } from "../../host/failures";
import { useHost } from "../../host/context";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { plainText } from "../../words/ansi";
import { FixedRows, type LogStand, WrappedRows } from "./LogRows";
import { LINE_PX } from "./logScroll";
import { type LogLines, useLog, useStepLog } from "./useLog";

/** Hits whose places are asked for at first; all are counted, and going on asks for more. */
const HITS = 500;
const COPY_PAGE = 10_000;
/** More lines than these are not for the clipboard. */
const MOST_COPIED = 100_000;
const SEARCH_AFTER_MS = 100;

interface LogViewProps {
  build: number;
  /** The name of a downloaded log. */
  fileName: string;
  /** Lines of the log as far as known. */
  known: number;
  running: boolean;
  /** Only this step; none is the whole log. */
  step: number | undefined;
  /** Where to stand at first; none is the beginning, or the end of a running build. */
  startAt: number | undefined;
  /** Searching looks at the whole log. */
  onSearch: () => void;
}

/** The log of a build: follows its end, searches, wraps, shows times, copies and saves. */
export function LogView(props: LogViewProps) {
  return props.step === undefined ? <WholeLog {...props} /> : <StepLog key={props.step} {...props} step={props.step} />;
}

function WholeLog(props: LogViewProps) {
  return <Lines {...props} log={useLog(props.build, props.known)} />;
}

function StepLog(props: LogViewProps & { step: number }) {
  return <Lines {...props} log={useStepLog(props.build, props.step)} />;
}

function Lines({ build, fileName, running, step, startAt, onSearch, log }: LogViewProps & { log: LogLines }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const [follow, setFollow] = useState(running);
  const [wrap, setWrap] = useState(false);
  const [time, setTime] = useState(false);
  const [text, setText] = useState("");
  const [hit, setHit] = useState(0);
  const [sought, seek] = useState("");
  const seekSoon = useDebouncedCallback(seek, SEARCH_AFTER_MS);
  const [wanted, setWanted] = useState(HITS);
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const stand = useRef<LogStand>(null);
  const scrolledTo = useRef(0);
  // The page's own search sees only the lines that are drawn.
  useHotkeys([["mod+F", () => searchField.current?.select()]], []);

  useLayoutEffect(() => {
    if (follow && log.total > 0) stand.current?.show(log.total - 1, "end");
  }, [follow, wrap, log.total, scroller]);

  const stood = useRef(false);
  useLayoutEffect(() => {
    if (stood.current || startAt === undefined || log.total === 0 || follow || !scroller) return;
    stood.current = true;
    stand.current?.show(Math.min(startAt, log.total - 1), "center");
  }, [startAt, log.total, follow, scroller]);

  const search = useRead(
    "builds.log_search",
    { id: build, text: sought, any_case: true, limit: wanted },
    { enabled: sought !== "", keep: true },
  );
  const hits = sought === "" ? [] : (search.data?.lines ?? []);
  const at = Math.min(hit, Math.max(0, hits.length - 1));
  const hitLine = hits[at];
  useEffect(() => {
    if (hitLine === undefined || step !== undefined) return;
    setFollow(false);
    stand.current?.show(hitLine, "center");
  }, [hitLine, step, wrap]);
  const turn = (by: number) => {
    if (hits.length === 0) return;
    const more = at + by >= hits.length && hits.length < (search.data?.count ?? 0);
    if (more) setWanted(wanted * 4);
    setHit(more ? at + by : (at + by + hits.length) % hits.length);
  };
  const complain = (thrown: unknown) =>
    notifications.show({ color: "red", message: t(failureKeys(failureOf(thrown).code).what) });

  const copy = async () => {
    if (log.total > MOST_COPIED) {
      notifications.show({ message: t("log.too_long_to_copy") });
      return;
    }
    try {
      const parts: string[] = [];
      for (let from = 0; ; ) {
        const page = await host.call("builds.log", { id: build, from, count: COPY_PAGE, ...(step === undefined ? {} : { step }) });
        parts.push(...page.lines.map((line) => plainText(line.text)));
        if (page.lines.length < COPY_PAGE) break;
        from = (page.lines.at(-1)?.number ?? from) + 1;
      }
      await navigator.clipboard.writeText(parts.join("\n"));
      notifications.show({ message: t("common.copied") });
    } catch (thrown) {
      complain(thrown);
    }
  };
  const save = async () => {
    try {
      if (await host.saveLog(build, fileName)) notifications.show({ message: t("log.saved", { name: fileName }) });
    } catch (thrown) {
      complain(thrown);
    }
  };

  const toggles = [
    { name: "follow", Icon: IconArrowBarToDown, on: follow, set: setFollow },
    { name: "wrap", Icon: IconTextWrap, on: wrap, set: setWrap },
    { name: "time", Icon: IconClock, on: time, set: setTime },
  ] as const;
  const actions = [
    { name: "copy", Icon: IconCopy, act: copy },
    { name: "download", Icon: IconDownload, act: save },
  ] as const;
  const Rows = wrap ? WrappedRows : FixedRows;
  return (
    <div style={{ display: "flex", flexDirection: "column", minWidth: 0, height: "100%" }}>
      <Group gap="xs" px="sm" py={6} style={{ borderBottom: "1px solid var(--line)" }}>
        <TextInput
          ref={searchField}
          type="search"
          aria-label={t("log.search")}
          placeholder={t("log.search")}
          leftSection={<IconSearch size={14} aria-hidden />}
          maw={220}
          style={{ flex: "1 1 120px" }}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            seekSoon(event.currentTarget.value);
            setHit(0);
            setWanted(HITS);
            onSearch();
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            if (event.currentTarget.value === sought) turn(event.shiftKey ? -1 : 1);
            else {
              seekSoon.cancel();
              seek(event.currentTarget.value);
            }
          }}
        />
        {sought !== "" && search.data && (
          <>
            <Text size="sm" c="dimmed" aria-live="polite" style={{ whiteSpace: "nowrap" }}>
              {hits.length === 0 ? t("log.found_none") : t("log.found", { at: at + 1, count: search.data.count })}
            </Text>
            <ActionIcon size="sm" aria-label={t("log.previous")} disabled={hits.length === 0} onClick={() => turn(-1)}>
              <IconChevronUp size={14} aria-hidden />
            </ActionIcon>
            <ActionIcon size="sm" aria-label={t("log.next")} disabled={hits.length === 0} onClick={() => turn(1)}>
              <IconChevronDown size={14} aria-hidden />
            </ActionIcon>
          </>
        )}
        <Text size="sm" c="dimmed" ml="auto" style={{ whiteSpace: "nowrap" }}>
          {t("log.lines", { count: log.total })}
        </Text>
        {toggles.map(({ name, Icon, on, set }) => (
          <Button
            key={name}
            size="compact-xs"
            variant={on ? "light" : "subtle"}
            color={on ? "hull" : "gray"}
            aria-pressed={on}
            leftSection={<Icon size={14} aria-hidden />}
            style={{ flex: "none" }}
            onClick={() => set(!on)}
          >
            {t(`log.${name}`)}
          </Button>
        ))}
        {actions.map(({ name, Icon, act }) => (
          <Tooltip key={name} label={t(`log.${name}`)}>
            <ActionIcon size="sm" aria-label={t(`log.${name}`)} onClick={() => void act()}>
              <Icon size={14} aria-hidden />
            </ActionIcon>
          </Tooltip>
        ))}
      </Group>
      {log.failure && <FailureNotice failure={log.failure} onRetry={log.retry} />}
      <div
        ref={setScroller}
        className="log"
        role="log"
        aria-label={t("log.label")}
        aria-live="off"
        tabIndex={0}
        style={{ flex: 1, minHeight: 0 }}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          // Lines that arrive never move the reader up: going up is the reader's own wish.
          if (scrollTop < scrolledTo.current - 1) setFollow(false);
          else if (running && sought === "" && scrollHeight - scrollTop - clientHeight < LINE_PX) setFollow(true);
          scrolledTo.current = scrollTop;
        }}
      >
        {log.loaded && log.total === 0 && (
          <Text size="sm" c="dimmed" p="md">
            {t(running ? "log.empty" : "log.none")}
          </Text>
        )}
        {scroller && <Rows log={log} scroller={scroller} stand={stand} time={time} sought={sought} hitLine={hitLine} />}
      </div>
    </div>
  );
}
