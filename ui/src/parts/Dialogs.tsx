import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { failureOf, type ShownFailure } from "../host/host";
import { FailureNotice } from "./FailureNotice";

interface FormDialogProps {
  title: string;
  onClose: () => void;
  onSubmit: () => void;
  submitLabel: string;
  busy: boolean;
  /** What the form fills in by itself is still on its way: a form sent before is sent when it is here. */
  waiting?: boolean;
  failure: ShownFailure | null;
  /** A second button beside the submitting one, such as "Test". */
  beside?: ReactNode;
  children: ReactNode;
}

/** A form in a dialog: Enter submits, Esc closes, a failure leaves everything as typed. */
export function FormDialog({ title, onClose, onSubmit, submitLabel, busy, waiting = false, failure, beside, children }: FormDialogProps) {
  const { t } = useTranslation();
  const form = useRef<HTMLFormElement>(null);
  const [early, setEarly] = useState(false);
  const send = () => {
    onSubmit();
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  useEffect(() => {
    if (!early || waiting) return;
    setEarly(false);
    send();
  });
  return (
    <Modal opened onClose={onClose} title={title}>
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (busy || early) return;
          if (waiting) setEarly(true);
          else send();
        }}
      >
        <Stack gap="md">
          {children}
          {failure && <FailureNotice failure={failure} />}
          <Group justify="flex-end" gap="sm" className="dialog-foot">
            {beside}
            <span style={{ flex: 1 }} />
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={busy || early}>
              {submitLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface ConfirmDialogProps {
  title: string;
  /** What will be lost. */
  text: string;
  confirmLabel: string;
  onClose: () => void;
  onConfirm: () => void;
  busy: boolean;
  error: Error | null;
  /** Why it cannot be done now. */
  blocked?: boolean;
  children?: ReactNode;
}

/** Asks once before something is destroyed, and names what. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={props.onClose} title={<span className="foreign">{props.title}</span>} size="md">
      <Stack gap="md">
        <Text size="sm">{props.text}</Text>
        {props.children}
        {props.error && <FailureNotice failure={failureOf(props.error)} />}
        <Group justify="flex-end" gap="sm" className="dialog-foot">
          <Button variant="default" onClick={props.onClose} data-autofocus>
            {t("common.cancel")}
          </Button>
          <Button color="red.8" onClick={props.onConfirm} loading={props.busy} disabled={props.blocked ?? false}>
            {props.confirmLabel}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
