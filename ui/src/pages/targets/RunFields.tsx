import { ActionIcon, Button, Checkbox, Group, Input, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { RunVolume } from "../../host/bindings";
import type { PortDraft } from "./runDraft";

interface PortsFieldProps {
  ports: PortDraft[];
  onChange: (ports: PortDraft[]) => void;
  /** A container's port can be kept to this machine; a Swarm service's cannot. */
  withLocal: boolean;
  errorOf: (field: string) => ReactNode;
}

/** Ports to publish, one row each. */
export function PortsField({ ports, onChange, withLocal, errorOf }: PortsFieldProps) {
  const { t } = useTranslation();
  const set = (at: number, part: Partial<PortDraft>) => onChange(ports.map((port, index) => (index === at ? { ...port, ...part } : port)));
  return (
    <Input.Wrapper label={t("run.ports")} description={t("run.ports_hint")} error={errorOf("ports")} size="xs" labelElement="div">
      <Stack gap="sm" mt={4}>
        {ports.map((port, at) => (
          <Group key={at} gap="sm" wrap="nowrap">
            <NumberInput
              aria-label={t("run.port_inside")}
              placeholder={t("run.port_inside")}
              hideControls
              min={1}
              max={65535}
              allowDecimal={false}
              value={port.inside}
              onChange={(inside) => set(at, { inside })}
            />
            <Select
              aria-label={t("run.protocol")}
              data={["tcp", "udp"]}
              w={76}
              style={{ flex: "none" }}
              value={port.protocol}
              onChange={(protocol) => set(at, { protocol: protocol ?? "tcp" })}
            />
            <span aria-hidden>→</span>
            <NumberInput
              aria-label={t("run.port_outside")}
              placeholder={t("run.port_any")}
              hideControls
              min={1}
              max={65535}
              allowDecimal={false}
              value={port.outside}
              onChange={(outside) => set(at, { outside })}
            />
            {withLocal && (
              <Checkbox
                label={t("run.only_local")}
                style={{ flex: "none" }}
                checked={port.onlyLocal}
                onChange={(event) => set(at, { onlyLocal: event.currentTarget.checked })}
              />
            )}
            <ActionIcon aria-label={t("run.port_remove", { port: port.inside })} onClick={() => onChange(ports.filter((_, index) => index !== at))}>
              <IconTrash size={14} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Button
          size="compact-xs"
          variant="default"
          style={{ alignSelf: "flex-start" }}
          leftSection={<IconPlus size={12} aria-hidden />}
          onClick={() => onChange([...ports, { inside: "", outside: "", onlyLocal: true, protocol: "tcp" }])}
        >
          {t("run.port_add")}
        </Button>
      </Stack>
    </Input.Wrapper>
  );
}

interface VolumesFieldProps {
  volumes: RunVolume[];
  onChange: (volumes: RunVolume[]) => void;
  errorOf: (field: string) => ReactNode;
}

/** Named volumes, one row each; folders of the machine are not offered. */
export function VolumesField({ volumes, onChange, errorOf }: VolumesFieldProps) {
  const { t } = useTranslation();
  const set = (at: number, part: Partial<RunVolume>) => onChange(volumes.map((one, index) => (index === at ? { ...one, ...part } : one)));
  return (
    <Input.Wrapper label={t("run.volumes")} description={t("run.volumes_hint")} error={errorOf("volumes")} size="xs" labelElement="div">
      <Stack gap="sm" mt={4}>
        {volumes.map((one, at) => (
          <Group key={at} gap="sm" wrap="nowrap">
            <TextInput
              aria-label={t("run.volume")}
              placeholder={t("run.volume")}
              spellCheck={false}
              value={one.volume}
              onChange={(event) => set(at, { volume: event.currentTarget.value })}
            />
            <span aria-hidden>→</span>
            <TextInput
              aria-label={t("run.volume_path")}
              placeholder={t("run.volume_path")}
              spellCheck={false}
              style={{ flex: 1 }}
              value={one.path}
              onChange={(event) => set(at, { path: event.currentTarget.value })}
            />
            <Checkbox
              label={t("run.read_only")}
              style={{ flex: "none" }}
              checked={one.read_only}
              onChange={(event) => set(at, { read_only: event.currentTarget.checked })}
            />
            <ActionIcon aria-label={t("run.volume_remove", { name: one.volume })} onClick={() => onChange(volumes.filter((_, index) => index !== at))}>
              <IconTrash size={14} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Button
          size="compact-xs"
          variant="default"
          style={{ alignSelf: "flex-start" }}
          leftSection={<IconPlus size={12} aria-hidden />}
          onClick={() => onChange([...volumes, { volume: "", path: "", read_only: false }])}
        >
          {t("run.volume_add")}
        </Button>
      </Stack>
    </Input.Wrapper>
  );
}
