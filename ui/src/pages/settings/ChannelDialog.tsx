import { Button, Checkbox, PasswordInput, Select, Stack, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";

import type { ChannelEvent, ChannelForm, ChannelKind, ChannelView } from "../../host/bindings";
import { failureOf } from "../../host/host";
import { useCall } from "../../host/reads";
import { FormDialog } from "../../parts/Dialogs";
import { useDraft } from "../../parts/draft";
import { useFieldError } from "../../parts/FailureNotice";
import { useRequired } from "../../parts/required";
import { TestAnswer } from "./Channels";

const kinds: ChannelKind[] = ["wecom", "dingtalk", "feishu", "slack", "ntfy", "generic"];
type Told = Exclude<ChannelEvent, "test">;
const events: Told[] = ["build_failed", "build_recovered", "build_ended", "update_failed", "update_rolled_back", "update_done", "attention"];
/** Where the address alone says who may write. */
const unsigned = ["slack", "wecom"] as const satisfies ChannelKind[];
const isUnsigned = (kind: ChannelKind): kind is (typeof unsigned)[number] => (unsigned as ChannelKind[]).includes(kind);

interface Draft {
  name: string;
  kind: ChannelKind;
  address: string;
  secret: string;
  removeSecret: boolean;
  allowPrivate: boolean;
  events: ChannelEvent[];
}

/** Adds or changes a channel, and sends a test message with what is typed. */
export function ChannelDialog({ channel, onClose }: { channel?: ChannelView; onClose: () => void }) {
  const { t } = useTranslation();
  const { draft, change, forget } = useDraft<Draft>(`channel.${channel?.id ?? "new"}`, () => ({
    name: channel?.name ?? "",
    kind: channel?.kind ?? "wecom",
    address: "",
    secret: "",
    removeSecret: false,
    allowPrivate: channel?.allow_private ?? false,
    events: channel?.events ?? ["build_failed", "build_recovered", "update_failed", "update_rolled_back", "attention"],
  }));
  const add = useCall("channels.add");
  const edit = useCall("channels.edit");
  const test = useCall("channels.test");
  const failed = add.error ?? edit.error ?? test.error;
  const failure = failed && failureOf(failed);
  const errorOfCall = useFieldError(failure);
  const { complete, missingAt } = useRequired({ name: draft.name, ...(channel ? {} : { address: draft.address }), events: draft.events.join() });
  const errorOf = (field: string) => missingAt(field) ?? errorOfCall(field) ?? errorOfCall(`form.${field}`);
  const touch = (part: Partial<Draft>) => {
    add.reset();
    edit.reset();
    test.reset();
    change(part);
  };
  const { kind } = draft;
  const keepsSecret = channel?.has_secret === true && !draft.removeSecret;
  const form = (): ChannelForm => {
    const [address, secret] = [draft.address.trim(), draft.secret.trim()];
    return {
      name: draft.name.trim(),
      kind,
      ...(address ? { address } : {}),
      ...(secret || draft.removeSecret ? { secret } : {}),
      allow_private: draft.allowPrivate,
      events: draft.events,
      enabled: channel?.enabled ?? true,
    };
  };
  const saved = () => {
    forget();
    onClose();
  };
  return (
    <FormDialog
      title={channel ? t("channels.edit", { name: channel.name }) : t("channels.add")}
      onClose={onClose}
      onSubmit={() => {
        test.reset();
        if (!complete()) return;
        if (channel) edit.mutate({ id: channel.id, ...form() }, { onSuccess: saved });
        else add.mutate(form(), { onSuccess: saved });
      }}
      submitLabel={t("common.save")}
      busy={add.isPending || edit.isPending}
      failure={failure}
      beside={
        <Button
          variant="default"
          loading={test.isPending}
          onClick={() => {
            add.reset();
            edit.reset();
            if (channel || complete("address")) test.mutate({ ...(channel ? { id: channel.id } : {}), form: form() });
          }}
        >
          {t("channels.test")}
        </Button>
      }
    >
      <TextInput
        label={t("channels.name")}
        value={draft.name}
        onChange={(event) => touch({ name: event.currentTarget.value })}
        error={errorOf("name")}
        maxLength={60}
        required
        data-autofocus
      />
      <Select
        label={t("channels.kind")}
        data={kinds.map((value) => ({ value, label: t(`channels.kind_${value}`) }))}
        value={kind}
        onChange={(value) => value && touch({ kind: value as ChannelKind })}
        allowDeselect={false}
      />
      <PasswordInput
        label={t("channels.address")}
        description={`${t(`channels.hint_${kind}`)} ${t("channels.address_secret")}`}
        placeholder={channel ? t("channels.address_kept") : ""}
        autoComplete="new-password"
        spellCheck={false}
        value={draft.address}
        onChange={(event) => touch({ address: event.currentTarget.value })}
        error={errorOf("address")}
        required={!channel}
      />
      {!isUnsigned(kind) && (
        <PasswordInput
          label={t(`channels.secret_${kind}`)}
          description={t(`channels.secret_hint_${kind}`)}
          placeholder={keepsSecret ? t("channels.secret_kept") : ""}
          autoComplete="new-password"
          spellCheck={false}
          value={draft.secret}
          onChange={(event) => touch({ secret: event.currentTarget.value })}
          error={errorOf("secret")}
        />
      )}
      {!isUnsigned(kind) && channel?.has_secret && (
        <Checkbox label={t("channels.secret_remove")} checked={draft.removeSecret} onChange={(event) => touch({ removeSecret: event.currentTarget.checked })} />
      )}
      <Checkbox
        label={t("channels.allow_private")}
        description={t("channels.allow_private_hint")}
        checked={draft.allowPrivate}
        onChange={(event) => touch({ allowPrivate: event.currentTarget.checked })}
        error={errorOf("allow_private")}
      />
      <Checkbox.Group
        label={t("channels.events")}
        value={draft.events}
        onChange={(chosen) => touch({ events: chosen as ChannelEvent[] })}
        error={missingAt("events") ? t("channels.events_missing") : errorOfCall("events")}
      >
        <Stack gap="sm" mt={4}>
          {events.map((event) => (
            <Checkbox key={event} value={event} label={t(`channels.event_${event}`)} />
          ))}
        </Stack>
      </Checkbox.Group>
      {test.data && <TestAnswer answer={test.data.answer} />}
    </FormDialog>
  );
}
