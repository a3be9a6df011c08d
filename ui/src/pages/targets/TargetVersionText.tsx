import { Text } from "@mantine/core";

import type { RunningImage, TargetVersion } from "../../host/bindings";
import { Breakable } from "../../parts/Breakable";
import { Copyable } from "../../parts/Copyable";
import { shortDigest } from "../../words/format";

/** The name of a version, as short as it can be recognised. */
export const versionName = ({ tag, image }: TargetVersion) => tag ?? shortDigest(image.digest ?? image.id ?? image.reference);

/** `sha256:…` names are cut to what is still recognised. */
export const shortReference = (reference: string) => reference.replace(/sha256:[0-9a-f]{64}/g, (digest) => `sha256:${shortDigest(digest).slice(7, 19)}`);

/** The digest behind a running image, where it has one; else the engine's id. */
export const identityOf = (image: RunningImage) => image.digests[0]?.split("@")[1] ?? image.id;

/** What a target runs: the name, and what it holds. */
export function RunningImageText({ image }: { image: RunningImage }) {
  const identity = identityOf(image);
  const isName = image.reference !== identity && !image.reference.startsWith("sha256:");
  return (
    <>
      {isName && (
        <Text className="mono foreign" component="div" title={image.reference} style={{ overflowWrap: "anywhere" }}>
          <Breakable text={shortReference(image.reference)} />
        </Text>
      )}
      {identity && (
        <Text component="div" {...(isName ? { c: "dimmed" } : {})}>
          <Copyable text={identity} shown={shortDigest(identity)} />
        </Text>
      )}
    </>
  );
}
