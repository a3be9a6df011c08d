import {
  Button,
  Checkbox,
  Fieldset,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconPlugConnected } from "@tabler/icons-react";
import { type ChangeEvent, type ReactNode, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import type { CodeRepositoryView } from "../../host/bindings";
import { useRead } from "../../host/reads";
import { Folded } from "../../parts/Folded";
import { shortRef } from "../../words/format";
import { readPairs } from "../../words/pairs";
import { draftOf, type RuleDraft } from "./ruleDraft";
import { PathField } from "./PathField";
import { SecretsField } from "./SecretsField";

interface RuleFieldsProps {
  draft: RuleDraft;
  change: (part: Partial<RuleDraft>) => void;
  sources: CodeRepositoryView[];
  errorOf: (field: string) => ReactNode;
  isNew: boolean;
  /** Lets the person choose code from an account, beside what is typed here. */
  onChooseCode: () => void;
  /** The field that is looked at first, as failures name it. */
  at?: string;
}

const FOLDED_MS = 60;
/** Of ten thousand branches those that fit what is typed, up to so many. */
const MOST_OFFERED = 50;

/** The four short sections of a rule: Source, When, Build, Version. Rare fields are folded. */
export function RuleFields({ draft, change, sources, errorOf, isNew, onChooseCode, at = isNew ? "code" : "name" }: RuleFieldsProps) {
  const { t } = useTranslation();
  const fields = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const find = () => {
      const [first = ""] = at.split(".");
      const field = fields.current?.querySelector(`[data-field="${CSS.escape(at)}"], [data-field="${CSS.escape(first)}"]`);
      const input = field?.matches("input, textarea") ? field : field?.querySelector("input, textarea");
      return input instanceof HTMLElement ? input : null;
    };
    const input = find();
    // The drawer looks for this mark when it takes the focus.
    if (input) input.dataset.autofocus = "true";
    input?.focus();
    // Folded parts draw their fields anew in the first frames. Whoever went on to another field meanwhile stays there.
    const timer = setTimeout(() => {
      const now = document.activeElement;
      if (now === input || !fields.current?.contains(now)) find()?.focus();
      if (at.includes(".")) find()?.scrollIntoView({ block: "center" });
    }, FOLDED_MS);
    return () => clearTimeout(timer);
  }, [at]);
  const code = Number(draft.code);
  const refs = useRead("code_repositories.refs", { id: code }, { enabled: draft.code !== "" }).data?.refs ?? [];
  const branchNames = refs.filter(({ name }) => name.startsWith("refs/heads/")).map(({ name }) => shortRef(name));
  const chosen = sources.find(({ id }) => id === code);
  const [firstBranch] = draft.byBranch ? draft.branches : [];
  const branchRef = refs.find(({ name }) => name === `refs/heads/${firstBranch ?? ""}`)?.name;
  const place = chosen ? { code, name: chosen.name, ref: branchRef } : null;
  const pairError = (text: string) => {
    const { bad } = readPairs(text);
    return bad === null ? null : t("rules.args_bad", { line: bad });
  };
  const flag = (name: keyof RuleDraft & ("anyBranch" | "newTag" | "noCache" | "alwaysPull" | "noStandardLabels" | "skipWords" | "reportStatus")) => ({
    checked: draft[name],
    onChange: (event: ChangeEvent<HTMLInputElement>) => change({ [name]: event.currentTarget.checked }),
  });
  return (
    <Stack gap="lg" ref={fields}>
      <Fieldset legend={t("rules.section_source")}>
        <Stack gap="sm">
          <Select
            label={t("rules.code_repository")}
            placeholder={t("rules.pick_code")}
            searchable
            data={sources.map(({ id, name }) => ({ value: String(id), label: name }))}
            value={draft.code || null}
            onChange={(chosen) => {
              const source = sources.find(({ id }) => String(id) === chosen);
              if (!chosen || !source) return;
              const { name, branches, byBranch } = draftOf(undefined, source);
              change({
                code: chosen,
                ...(isNew ? { branches, byBranch, name: draft.name || name } : {}),
              });
            }}
            data-field="code"
            error={errorOf("code")}
            required
            openOnFocus={false}
          />
          <Button
            variant="default"
            leftSection={<IconPlugConnected size={14} aria-hidden />}
            style={{ alignSelf: "flex-start" }}
            onClick={onChooseCode}
          >
            {t("accounts.choose")}
          </Button>
          <TextInput
            label={t("common.name")}
            description={t("rules.name_hint")}
            value={draft.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
            data-field="name"
            error={errorOf("name")}
            required
          />
        </Stack>
      </Fieldset>

      <Fieldset legend={t("rules.section_when")}>
        <Stack gap="sm">
          <Checkbox
            label={t("rules.branches")}
            checked={draft.byBranch}
            onChange={(event) => change({ byBranch: event.currentTarget.checked })}
          />
          {draft.byBranch && (
            <TagsInput
              aria-label={t("rules.branches")}
              description={t("rules.branches_hint")}
              ml={28}
              data={branchNames}
              limit={MOST_OFFERED}
              value={draft.branches}
              onChange={(branches) => change({ branches })}
              data-field="triggers.branches"
              error={errorOf("triggers.branches")}
              acceptValueOnBlur
            />
          )}
          <Checkbox label={t("rules.any_branch")} {...flag("anyBranch")} />
          <Checkbox label={t("rules.new_tag")} {...flag("newTag")} />
          <Checkbox
            label={t("rules.pattern")}
            checked={draft.byPattern}
            onChange={(event) => change({ byPattern: event.currentTarget.checked })}
          />
          {draft.byPattern && (
            <TextInput
              aria-label={t("rules.pattern")}
              description={t("rules.pattern_hint")}
              ml={28}
              classNames={{ input: "mono" }}
              spellCheck={false}
              value={draft.pattern}
              onChange={(event) => change({ pattern: event.currentTarget.value })}
              data-field="triggers.pattern"
              error={errorOf("triggers.pattern")}
            />
          )}
          {!draft.byBranch && !draft.anyBranch && !draft.newTag && !draft.byPattern && (
            <Text size="sm" c="dimmed">
              {t("rules.manual_only")}
            </Text>
          )}
          <Switch
            label={t("rules.auto")}
            checked={draft.autoTrigger}
            onChange={(event) => change({ autoTrigger: event.currentTarget.checked })}
          />
          {sources.some(({ id, account }) => id === code && account) && (
            <Checkbox label={t("rules.report_status")} description={t("rules.report_status_hint")} {...flag("reportStatus")} />
          )}
          <More open={/^(paths|skip_words|strategy)/.test(at) || draft.include.length + draft.exclude.length > 0 || !draft.skipWords || draft.strategy !== "newest_per_ref"}>
            <TagsInput
              label={t("rules.path_include")}
              description={t("rules.path_hint")}
              value={draft.include}
              onChange={(include) => change({ include })}
              data-field="paths.include"
              error={errorOf("paths.include")}
              acceptValueOnBlur
            />
            <TagsInput
              label={t("rules.path_exclude")}
              value={draft.exclude}
              onChange={(exclude) => change({ exclude })}
              data-field="paths.exclude"
              error={errorOf("paths.exclude")}
              acceptValueOnBlur
            />
            <Checkbox label={t("rules.skip_words")} {...flag("skipWords")} />
            <Select
              label={t("rules.strategy")}
              data={(["newest_per_ref", "every_push"] as const).map((value) => ({ value, label: t(`rules.strategy_${value}`) }))}
              value={draft.strategy}
              onChange={(strategy) => strategy && change({ strategy: strategy as RuleDraft["strategy"] })}
            />
          </More>
        </Stack>
      </Fieldset>

      <Fieldset legend={t("rules.section_build")}>
        <Stack gap="sm">
          <PathField
            label={t("rules.dockerfile")}
            description={t("rules.root_hint")}
            place={place}
            wants="file"
            value={draft.dockerfile}
            onChange={(dockerfile) => change({ dockerfile })}
            data-field="dockerfile_path"
            error={errorOf("dockerfile_path")}
          />
          <PathField
            label={t("rules.context")}
            description={t("rules.context_hint")}
            place={place}
            wants="folder"
            value={draft.context}
            onChange={(context) => change({ context })}
            data-field="context_dir"
            error={errorOf("context_dir")}
          />
          <Textarea
            label={t("rules.args")}
            description={t("rules.args_hint")}
            autosize
            minRows={1}
            maxRows={8}
            classNames={{ input: "mono" }}
            spellCheck={false}
            value={draft.args}
            onChange={(event) => change({ args: event.currentTarget.value })}
            data-field="options.args"
            error={pairError(draft.args) ?? errorOf("options.args")}
          />
          <More
            open={
              (at.startsWith("options.") && at !== "options.args") ||
              draft.secrets.length + draft.platforms.length > 0 || draft.target !== "" || draft.labels !== "" || draft.noCache || draft.alwaysPull
            }
          >
            <div data-field="options.secrets"><SecretsField secrets={draft.secrets} onChange={(secrets) => change({ secrets })} data-field="options.secrets"
 error={errorOf("options.secrets")} /></div>
            <TextInput
              label={t("rules.target")}
              value={draft.target}
              onChange={(event) => change({ target: event.currentTarget.value })}
              data-field="options.target"
              error={errorOf("options.target")}
              spellCheck={false}
            />
            <TagsInput
              label={t("rules.platforms")}
              description={t("rules.platforms_hint")}
              data={["linux/amd64", "linux/arm64", "linux/arm/v7"]}
              value={draft.platforms}
              onChange={(platforms) => change({ platforms })}
              data-field="options.platforms"
              error={errorOf("options.platforms")}
              acceptValueOnBlur
            />
            <Textarea
              label={t("rules.labels")}
              description={t("rules.labels_hint")}
              autosize
              minRows={1}
              classNames={{ input: "mono" }}
              spellCheck={false}
              value={draft.labels}
              onChange={(event) => change({ labels: event.currentTarget.value })}
              data-field="options.labels"
              error={pairError(draft.labels) ?? errorOf("options.labels")}
            />
            <Checkbox label={t("rules.no_standard_labels")} {...flag("noStandardLabels")} />
            <Checkbox label={t("rules.no_cache")} {...flag("noCache")} />
            <Checkbox label={t("rules.always_pull")} {...flag("alwaysPull")} />
            <Select
              label={t("rules.network")}
              data={(["default", "none", "host"] as const).map((value) => ({ value, label: t(`rules.network_${value}`) }))}
              value={draft.network}
              onChange={(network) => network && change({ network: network as RuleDraft["network"] })}
              data-field="options.network"
              error={errorOf("options.network")}
            />
            <NumberInput
              label={t("rules.timeout")}
              placeholder="60"
              min={1}
              value={draft.timeoutMinutes}
              onChange={(timeoutMinutes) => change({ timeoutMinutes })}
              data-field="options.timeout_seconds"
              error={errorOf("options.timeout_seconds")}
            />
            <TextInput
              label={t("rules.engine")}
              description={t("rules.engine_hint")}
              value={draft.engine}
              onChange={(event) => change({ engine: event.currentTarget.value })}
              data-field="options.engine"
              error={errorOf("options.engine")}
              spellCheck={false}
            />
          </More>
        </Stack>
      </Fieldset>

      <Fieldset legend={t("rules.section_version")}>
        <Stack gap="sm">
          <SegmentedControl
            aria-label={t("rules.section_version")}
            value={draft.versionKind}
            onChange={(kind) => change({ versionKind: kind as RuleDraft["versionKind"] })}
            data={(["parts", "templates"] as const).map((value) => ({ value, label: t(`rules.version_${value}`) }))}
          />
          {draft.versionKind === "parts" ? (
            <>
              <TextInput
                label={t("rules.prefix")}
                value={draft.prefix}
                onChange={(event) => change({ prefix: event.currentTarget.value })}
                data-field="version.prefix"
                error={errorOf("version.prefix")}
                spellCheck={false}
              />
              <Checkbox label={t("rules.part_ref")} checked={draft.partRef} onChange={(event) => change({ partRef: event.currentTarget.checked })} />
              <Checkbox label={t("rules.part_time")} checked={draft.partTime} onChange={(event) => change({ partTime: event.currentTarget.checked })} />
              <Checkbox
                label={t("rules.part_commit")}
                checked={draft.partCommit}
                onChange={(event) => change({ partCommit: event.currentTarget.checked })}
                data-field="version"
                error={errorOf("version")}
              />
            </>
          ) : (
            <TagsInput
              label={t("rules.templates")}
              description={t("rules.templates_hint")}
              classNames={{ input: "mono" }}
              splitChars={[" "]}
              value={draft.templates}
              onChange={(templates) => change({ templates })}
              data-field="version"
              error={errorOf("version")}
              acceptValueOnBlur
            />
          )}
          <TextInput
            label={t("rules.overwrite")}
            description={t("rules.overwrite_hint")}
            value={draft.overwriteTag}
            onChange={(event) => change({ overwriteTag: event.currentTarget.value })}
            data-field="overwrite_tag"
            error={errorOf("overwrite_tag")}
            spellCheck={false}
          />
        </Stack>
      </Fieldset>
    </Stack>
  );
}

/** Rare fields, folded; open from the start when one of them is set. */
function More({ open, children }: { open: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Folded label={t("rules.more")} open={open} gap="sm">
      {children}
    </Folded>
  );
}
