import { ActionIcon, Button, Group, Text, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import {
  IconArrowBarToDown,
  IconChevronDown,
  IconChevronUp,
  IconClock,
  IconCopy,
  IconSearch,
  IconTextWrap,
} from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useHost } from "../../host/context";
import { failureOf } from "../../host/host";
import { useRead } from "../../host/reads";
import { FailureNotice } from "../../parts/FailureNotice";
import { ansiSpans, plainText } from "../../words/ansi";
import { type LogLines, useLog, useStepLog } from "./useLog";

const LINE_PX = 18;
const MOST_HITS = 10_000;
const COPY_PAGE = 10_000;

interface LogViewProps {
  build: number;
  running: boolean;
  /** Only this step; none is the whole log. */
  step: number | undefined;
  /** Where to stand at first; none is the beginning, or the end of a running build. */
  startAt: number | undefined;
  /** Searching looks at the whole log. */
  onSearch: () => void;
}

/** The log of a build: follows its end, searches, wraps, shows times and copies. */
export function LogView(props: LogViewProps) {
  return props.step === undefined ? <WholeLog {...props} /> : <StepLog key={props.step} {...props} step={props.step} />;
}

function WholeLog(props: LogViewProps) {
  return <Lines {...props} log={useLog(props.build)} />;
}

function StepLog(props: LogViewProps & { step: number }) {
  return <Lines {...props} log={useStepLog(props.build, props.step)} />;
}

function Lines({ build, running, step, startAt, onSearch, log }: LogViewProps & { log: LogLines }) {
  const { t } = useTranslation();
  const { host } = useHost();
  const [follow, setFollow] = useState(running);
  const [wrap, setWrap] = useState(false);
  const [time, setTime] = useState(false);
  const [text, setText] = useState("");
  const [hit, setHit] = useState(0);
  const [sought] = useDebouncedValue(text, 200);
  const scroller = useRef<HTMLDivElement>(null);
  const scrolledTo = useRef(0);

  const rows = useVirtualizer({
    count: log.total,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 30,
  });
  // The list changes with every line that is measured; scrolling follows wishes, not measurements.
  const list = useRef(rows);
  list.current = rows;
  const shown = rows.getVirtualItems();
  const first = shown[0]?.index;
  const last = shown.at(-1)?.index;
  useEffect(() => {
    if (first !== undefined && last !== undefined) log.need(first, last);
  });

  useLayoutEffect(() => {
    if (follow && log.total > 0) list.current.scrollToIndex(log.total - 1, { align: "end" });
  }, [follow, log.total]);

  const stood = useRef(false);
  useLayoutEffect(() => {
    if (stood.current || startAt === undefined || log.total === 0 || follow) return;
    stood.current = true;
    list.current.scrollToIndex(Math.min(startAt, log.total - 1), { align: "center" });
  }, [startAt, log.total, follow]);

  const search = useRead(
    "builds.log_search",
    { id: build, text: sought, any_case: true, limit: MOST_HITS },
    { enabled: sought !== "", keep: true },
  );
  const hits = sought === "" ? [] : (search.data?.lines ?? []);
  const at = Math.min(hit, Math.max(0, hits.length - 1));
  const hitLine = hits[at];
  useLayoutEffect(() => {
    if (hitLine === undefined || step !== undefined) return;
    setFollow(false);
    list.current.scrollToIndex(hitLine, { align: "center" });
  }, [hitLine, step]);
  const turn = (by: number) => hits.length > 0 && setHit((at + by + hits.length) % hits.length);

  const copy = async () => {
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
      notifications.show({ color: "red", message: failureOf(thrown).message });
    }
  };

  const toggles = [
    { name: "follow", Icon: IconArrowBarToDown, on: follow, set: setFollow },
    { name: "wrap", Icon: IconTextWrap, on: wrap, set: setWrap },
    { name: "time", Icon: IconClock, on: time, set: setTime },
  ] as const;
  const digits = String(Math.max(log.total, 1)).length;
  return (
    <div style={{ display: "flex", flexDirection: "column", minWidth: 0, height: "100%" }}>
      <Group gap="xs" px="sm" py={6} style={{ borderBottom: "1px solid var(--line)" }}>
        <TextInput
          type="search"
          aria-label={t("log.search")}
          placeholder={t("log.search")}
          leftSection={<IconSearch size={14} aria-hidden />}
          maw={220}
          style={{ flex: "1 1 140px" }}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setHit(0);
            onSearch();
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") turn(event.shiftKey ? -1 : 1);
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
        <Tooltip label={t("log.copy")}>
          <ActionIcon size="sm" aria-label={t("log.copy")} onClick={() => void copy()}>
            <IconCopy size={14} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
      {log.failure && <FailureNotice failure={log.failure} />}
      <div
        ref={scroller}
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
            {t("log.empty")}
          </Text>
        )}
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {shown.map(({ index, start, key }) => {
            const line = log.lineAt(index);
            return (
              <div
                key={key}
                ref={wrap ? rows.measureElement : undefined}
                data-index={index}
                className="log-line"
                data-wrap={wrap}
                data-hit={line !== undefined && line.number === hitLine}
                style={{ transform: `translateY(${start}px)`, ...(wrap ? {} : { height: LINE_PX }) }}
              >
                <span className="log-number" style={{ width: `calc(${digits}ch + 16px)` }}>
                  {line ? line.number + 1 : ""}
                </span>
                {time && <span className="log-time">{line?.at ? new Date(line.at).toLocaleTimeString() : ""}</span>}
                <span className="log-text">
                  {line && ansiSpans(line.text).map((span, part) => (
                    <span key={part} className={span.class || undefined}>
                      {span.text}
                    </span>
                  ))}
                  {line?.clipped && <span className="ansi-dim">… {t("log.line_clipped")}</span>}
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
