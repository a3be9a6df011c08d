import { Alert, List, ScrollArea, Table, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";

import type { ImportItem, ImportNeed, ImportReport } from "../../host/bindings";
import { failureKeys } from "../../host/failures";
import { Mark } from "../../parts/StateMark";

/** More lines than this are only counted. */
const MOST_LINES = 500;

const tones = { new: "good", same: "still", differs: "warn", refused: "bad" } as const;

/** Everything that the file says: new, the same, different, or not to be imported and why. What needs a look stands first. */
export function ImportTable({ report }: { report: ImportReport }) {
  const { t } = useTranslation();
  const order = ["refused", "differs", "new", "same"];
  const items = [...report.items].sort((a, b) => order.indexOf(a.state.kind) - order.indexOf(b.state.kind));
  if (items.length === 0) return <Text size="sm">{t("configuration.nothing")}</Text>;
  return (
    <ScrollArea.Autosize mah={320} type="auto" tabIndex={0} role="region" aria-label={t("configuration.items")} viewportProps={{ tabIndex: 0 }}>
      <Table stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={130}>{t("configuration.column_kind")}</Table.Th>
            <Table.Th>{t("common.name")}</Table.Th>
            <Table.Th>{t("configuration.column_state")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.slice(0, MOST_LINES).map((item) => (
            <Table.Tr key={item.place}>
              <Table.Td>{t(`configuration.object_${item.object}`)}</Table.Td>
              <Table.Td>
                <span className="foreign">{item.name}</span>
                {item.of && (
                  <Text fz={12} c="dimmed" className="foreign">
                    {item.of}
                  </Text>
                )}
                {item.detail && (
                  <Text fz={12} c="dimmed" className="foreign">
                    {item.object === "rule" ? t("configuration.from_source", { source: item.detail }) : item.detail}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <StateOf item={item} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {items.length > MOST_LINES && (
        <Text size="sm" c="dimmed">
          {t("configuration.more", { count: items.length - MOST_LINES })}
        </Text>
      )}
    </ScrollArea.Autosize>
  );
}

function StateOf({ item: { state, place } }: { item: ImportItem }) {
  const { t } = useTranslation();
  return (
    <>
      <Mark tone={tones[state.kind]} word={t(`configuration.state_${state.kind}`)} />
      {state.kind === "differs" && (
        <Text fz={12} c="dimmed" className="mono foreign">
          {state.fields.join(", ")}
        </Text>
      )}
      {state.kind === "refused" && (
        <>
          <Text fz={12}>{t(failureKeys(state.failure.code).what)}</Text>
          <Text fz={12} c="dimmed" className="mono foreign" lang="en">
            {place}
            {state.failure.field && `.${state.failure.field}`}: {state.failure.message}
          </Text>
        </>
      )}
    </>
  );
}

/** What a person has to do afterwards, each with what it is about. */
export function ImportNeeds({ report, title }: { report: ImportReport; title: string }) {
  const { t } = useTranslation();
  const needs = report.items.flatMap((item) => item.needs.map((need) => ({ item, need })));
  if (needs.length === 0) return null;
  return (
    <Alert variant="default" className="notice-warn" role="note" icon={<IconAlertTriangle aria-hidden />} title={title} p="sm">
      <List size="sm" aria-label={title}>
        {needs.slice(0, MOST_LINES).map(({ item, need }) => (
          <List.Item key={`${item.place} ${need.kind}`}>
            <span className="foreign">
              {item.object === "settings" ? t("configuration.object_settings") : [item.of, item.name].filter(Boolean).join(" · ")}
            </span>
            {": "}
            <span className="foreign">{needWords(t, need)}</span>
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}

function needWords(t: TFunction, need: ImportNeed): string {
  switch (need.kind) {
    case "account":
      return t("configuration.need_account", { host: need.host });
    case "folder_missing":
      return t("configuration.need_folder_missing", { path: need.path });
    case "build_secrets":
      return t("configuration.need_build_secrets", { names: need.ids.join(", ") });
    case "proxies":
      return t("configuration.need_proxies", { names: need.addresses.join(", ") });
    case "mirrors":
      return t("configuration.need_mirrors", { names: need.lists.map(({ upstream, mirrors }) => `${mirrors.join(", ")} (${upstream})`).join("; ") });
    case "arguments":
      return t("configuration.need_arguments", { names: need.names.join(", ") });
    case "labels":
      return t("configuration.need_labels", { names: need.names.join(", ") });
    case "webhook_secrets":
      return t("configuration.need_webhook_secrets", {
        names: [
          ...need.headers,
          ...(need.signed ? [t("configuration.signing_key")] : []),
          ...(need.address ? [t("configuration.hook_address")] : []),
        ].join(", "),
      });
    default:
      return t(`configuration.need_${need.kind}`);
  }
}
