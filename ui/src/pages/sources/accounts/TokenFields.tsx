import { Checkbox, List, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { AccountGuideView, TokenForm } from "../../../host/bindings";
import { OutsideLink } from "./OutsideLink";

/** A token as it is typed. */
export interface TypedToken {
  token: string;
  username: string;
  isResource: boolean;
}

/** What was typed, as the core takes it. */
export function tokenForm({ token, username, isResource }: TypedToken): TokenForm {
  return { token: token.trim(), ...(username.trim() ? { username: username.trim() } : {}), is_resource: isResource };
}

/** Whether the host wants a name beside this token. A Bitbucket token of a repository or workspace stands alone. */
export const asksName = ({ guide }: AccountGuideView, { isResource }: TypedToken) =>
  guide.token_username && !(guide.provider === "bitbucket" && isResource);

interface TokenFieldsProps {
  guide: AccountGuideView;
  draft: TypedToken;
  change: (part: Partial<TypedToken>) => void;
  errorOf: (field: string) => ReactNode;
  /** The host did not take the token: it may help to take the old one back there. */
  refused: boolean;
}

/** Which rights a token needs and why, where one is made, and the field for it. */
export function TokenFields({ guide: view, draft, change, errorOf, refused }: TokenFieldsProps) {
  const { t } = useTranslation();
  const { guide } = view;
  return (
    <>
      {guide.service_ends && (
        <Text size="sm" c="var(--state-warn)">
          {t("accounts.service_ends", { day: guide.service_ends })}
        </Text>
      )}
      <Stack gap={6}>
        <Text size="sm" fw={600}>
          {t("accounts.rights_asked")}
        </Text>
        <List size="sm" spacing={2}>
          {guide.token_scopes.map(({ name, reason }) => (
            <List.Item key={`${name} ${reason}`}>
              <span className="mono">{name}</span> · {t(`accounts.reason_${reason}`)}
            </List.Item>
          ))}
        </List>
        <OutsideLink to={guide.token_page}>{t("accounts.make_token")}</OutsideLink>
      </Stack>
      <PasswordInput
        label={t("accounts.token")}
        description={t("accounts.token_hint")}
        autoComplete="new-password"
        value={draft.token}
        onChange={(event) => change({ token: event.currentTarget.value })}
        error={errorOf("token")}
        required
      />
      {asksName(view, draft) && (
        <TextInput
          label={t(guide.provider === "bitbucket" ? "accounts.email" : "accounts.token_user")}
          description={t(guide.provider === "bitbucket" ? "accounts.email_hint" : "accounts.token_user_hint")}
          autoComplete="off"
          value={draft.username}
          onChange={(event) => change({ username: event.currentTarget.value })}
          error={errorOf("username")}
        />
      )}
      {guide.token_username && (
        <Checkbox
          label={t("accounts.is_resource")}
          checked={draft.isResource}
          onChange={(event) => change({ isResource: event.currentTarget.checked })}
        />
      )}
      {refused && (
        <Stack gap={6}>
          <Text size="sm">{t("accounts.refused_again")}</Text>
          <OutsideLink to={guide.revoke_page}>{t("accounts.revoke_page")}</OutsideLink>
        </Stack>
      )}
    </>
  );
}
