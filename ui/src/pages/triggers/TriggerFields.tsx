import { Fieldset, Group, NumberInput, Radio, SegmentedControl, Stack, Switch, Textarea, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { TargetPicker } from "./TargetPicker";
import { isTriggerName, type TriggerDraft } from "./triggerDraft";
import { WebhookFields } from "./WebhookFields";

interface TriggerFieldsProps {
  draft: TriggerDraft;
  change: (part: Partial<TriggerDraft>) => void;
  errorOf: (field: string) => ReactNode;
}

const conditions = ["all", "tags", "pattern"] as const;

/** Name, condition, action with its target, and the health gate. */
export function TriggerFields({ draft, change, errorOf }: TriggerFieldsProps) {
  const { t } = useTranslation();
  const badName = draft.name !== "" && !isTriggerName(draft.name) ? t("image_triggers.name_bad") : null;
  return (
    <Stack gap="lg">
      <Fieldset legend={t("image_triggers.section_name")}>
        <Stack gap="sm">
          <TextInput
            label={t("image_triggers.name")}
            description={t("image_triggers.name_hint")}
            value={draft.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
            error={errorOf("name") ?? badName}
            spellCheck={false}
            data-autofocus
            required
          />
          <Switch
            label={t("image_triggers.enabled")}
            description={t("image_triggers.enabled_hint")}
            checked={draft.enabled}
            onChange={(event) => change({ enabled: event.currentTarget.checked })}
          />
        </Stack>
      </Fieldset>

      <Fieldset legend={t("image_triggers.condition")}>
        <Radio.Group
          aria-label={t("image_triggers.condition")}
          value={draft.conditionKind}
          onChange={(kind) => change({ conditionKind: kind as TriggerDraft["conditionKind"] })}
        >
          <Stack gap="sm">
            {conditions.map((kind) => (
              <Radio key={kind} value={kind} label={t(`image_triggers.condition_${kind}`)} description={t(`image_triggers.condition_${kind}_hint`)} />
            ))}
          </Stack>
        </Radio.Group>
        {draft.conditionKind === "tags" && (
          <Textarea
            label={t("image_triggers.tag_list")}
            mt="sm"
            autosize
            minRows={2}
            maxRows={8}
            classNames={{ input: "mono" }}
            spellCheck={false}
            value={draft.list}
            onChange={(event) => change({ list: event.currentTarget.value })}
            error={errorOf("condition.list")}
            required
          />
        )}
        {draft.conditionKind === "pattern" && (
          <TextInput
            label={t("image_triggers.pattern")}
            mt="sm"
            classNames={{ input: "mono" }}
            spellCheck={false}
            value={draft.pattern}
            onChange={(event) => change({ pattern: event.currentTarget.value })}
            error={errorOf("condition.pattern")}
            required
          />
        )}
      </Fieldset>

      <Fieldset legend={t("image_triggers.action")}>
        <Stack gap="sm">
          <SegmentedControl
            aria-label={t("image_triggers.action")}
            value={draft.action}
            onChange={(action) => change({ action: action as TriggerDraft["action"] })}
            data={(["service", "webhook"] as const).map((value) => ({ value, label: t(`image_triggers.action_${value}`) }))}
          />
          {draft.action === "service" ? (
            <TargetPicker draft={draft} change={change} error={errorOf("target")} />
          ) : (
            <WebhookFields draft={draft} change={change} errorOf={errorOf} />
          )}
        </Stack>
      </Fieldset>

      {draft.action === "service" && (
        <Fieldset legend={t("image_triggers.gate")}>
          <Group gap="sm" grow align="flex-start">
            <NumberInput
              label={t("image_triggers.stay_up")}
              description={t("image_triggers.stay_up_hint")}
              suffix={` ${t("image_triggers.seconds")}`}
              min={1}
              max={3600}
              allowDecimal={false}
              value={draft.stayUp}
              onChange={(stayUp) => change({ stayUp })}
              error={errorOf("gate.stay_up_seconds")}
            />
            <NumberInput
              label={t("image_triggers.deadline")}
              description={t("image_triggers.deadline_hint")}
              suffix={` ${t("image_triggers.seconds")}`}
              min={2}
              max={86400}
              allowDecimal={false}
              value={draft.deadline}
              onChange={(deadline) => change({ deadline })}
              error={errorOf("gate.deadline_seconds")}
            />
          </Group>
        </Fieldset>
      )}
    </Stack>
  );
}
