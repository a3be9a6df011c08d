import { Alert, Button, Checkbox, FileButton, Group, Modal, Radio, Stack, Text } from "@mantine/core";
import { IconCircleCheck, IconFileUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImportChoice, ImportReport } from "../../host/bindings";
import { failureOf, type ShownFailure } from "../../host/host";
import { useCall } from "../../host/reads";
import { DropZone } from "../../parts/DropZone";
import { FailureNotice } from "../../parts/FailureNotice";
import { SentFile } from "../../parts/FileFields";
import { ImportNeeds, ImportTable } from "./ImportTable";
import { countsOf, readConfiguration } from "./importedFile";

interface Chosen {
  file: File;
  text: string;
}

/** Imports a configuration: a file is chosen, what it would do is shown, and only then something changes. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [choice, setChoice] = useState<ImportChoice>({ change: false, allow_plain_http: false });
  const [unread, setUnread] = useState<ShownFailure | null>(null);
  const check = useCall("configuration.check_import");
  const load = useCall("configuration.import");
  const look = (text: string, next: ImportChoice) => {
    setChoice(next);
    check.mutate({ text, choice: next });
  };
  const choose = async (file: File | undefined) => {
    if (!file) return;
    forget();
    const read = await readConfiguration(file);
    if ("failure" in read) return setUnread(read.failure);
    setChosen({ file, text: read.text });
    look(read.text, { change: false, allow_plain_http: false });
  };
  const forget = () => {
    setChosen(null);
    setUnread(null);
    check.reset();
    load.reset();
  };
  if (load.data) return <Imported report={load.data} choice={choice} onClose={onClose} />;
  const report = chosen ? check.data : undefined;
  const counts = report && countsOf(report, choice);
  const thrown = load.error ?? check.error;
  const failure = unread ?? (thrown && failureOf(thrown));
  return (
    <Modal opened onClose={onClose} title={t("configuration.import_title")} size="xl">
      <DropZone onDrop={(dropped) => dropped.kind === "files" && void choose(dropped.files[0])}>
        <Stack gap="md">
          {!chosen && <Text size="sm">{t("configuration.import_text")}</Text>}
          {chosen ? (
            <SentFile label={t("configuration.file")} name={chosen.file.name} size={chosen.file.size} error={null} onForget={forget} />
          ) : (
            <FileButton accept=".json,application/json" onChange={(file) => void choose(file ?? undefined)}>
              {(props) => (
                <Button {...props} variant="default" style={{ alignSelf: "flex-start" }} leftSection={<IconFileUpload size={14} aria-hidden />} data-autofocus>
                  {t("configuration.choose")}
                </Button>
              )}
            </FileButton>
          )}
          {failure && <FailureNotice failure={failure} />}
          {chosen && report && counts && (
            <>
              <Radio.Group
                label={t("configuration.mode")}
                value={choice.change ? "change" : "add"}
                onChange={(mode) => look(chosen.text, { ...choice, change: mode === "change" })}
              >
                <Stack gap={6} mt={6}>
                  <Radio value="add" label={t("configuration.mode_add")} />
                  <Radio value="change" label={t("configuration.mode_change")} />
                </Stack>
              </Radio.Group>
              {report.asks_plain_http && (
                <Checkbox
                  label={t("configuration.plain_http")}
                  checked={choice.allow_plain_http}
                  onChange={(event) => look(chosen.text, { ...choice, allow_plain_http: event.currentTarget.checked })}
                />
              )}
              <Text size="sm" role="status">
                {t("configuration.counts", counts)}
              </Text>
              <ImportTable report={report} />
              <ImportNeeds report={report} title={t("configuration.needs_after")} />
            </>
          )}
          <Group justify="flex-end" gap="sm" className="dialog-foot">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button
              disabled={!counts || counts.writes === 0}
              loading={load.isPending || check.isPending}
              onClick={() => chosen && load.mutate({ text: chosen.text, choice })}
            >
              {t("configuration.submit")}
            </Button>
          </Group>
        </Stack>
      </DropZone>
    </Modal>
  );
}

/** What was done, and what is left to do for a person. */
function Imported({ report, choice, onClose }: { report: ImportReport; choice: ImportChoice; onClose: () => void }) {
  const { t } = useTranslation();
  const { added, changed } = countsOf(report, choice);
  return (
    <Modal opened onClose={onClose} title={t("configuration.import_title")} size="xl">
      <Stack gap="md">
        <Alert variant="default" className="notice-good" role="status" icon={<IconCircleCheck aria-hidden />} title={t("configuration.imported")} p="sm">
          <Text size="sm">{t("configuration.imported_counts", { added, changed })}</Text>
        </Alert>
        <ImportNeeds report={report} title={t("configuration.needs_now")} />
        <Group justify="flex-end" className="dialog-foot">
          <Button onClick={onClose} data-autofocus>
            {t("common.close")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
