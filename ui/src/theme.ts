import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

/** The one accent colour: the blue of a painted hull, light to dark. */
const hull: MantineColorsTuple = [
  "#eef4fb",
  "#dae6f3",
  "#b1cbe6",
  "#85aeda",
  "#6096cf",
  "#4987c9",
  "#3b7fc7",
  "#2c6db0",
  "#20619f",
  "#08538c",
];

/** The look of the console: calm, dense, one accent. Latin, CJK and monospace families are named here and nowhere else. */
export function makeTheme(closeLabel: string) {
  const dense = { defaultProps: { size: "xs" } };
  const labelledClose = { closeButtonProps: { "aria-label": closeLabel } };
  const titled = { title: { fontWeight: 600 } };
  return createTheme({
    primaryColor: "hull",
    primaryShade: { light: 7, dark: 7 },
    colors: { hull },
    fontFamily:
      '-apple-system, "Segoe UI", "Inter", "Cantarell", "Ubuntu", "Noto Sans", "DejaVu Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif',
    fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", "WenQuanYi Micro Hei Mono", monospace',
    fontSizes: { xs: "13px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
    defaultRadius: "sm",
    cursorType: "pointer",
    respectReducedMotion: true,
    spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
    components: {
      Button: dense,
      TextInput: dense,
      PasswordInput: dense,
      NumberInput: dense,
      Textarea: dense,
      Select: { defaultProps: { size: "xs", allowDeselect: false } },
      TagsInput: dense,
      Checkbox: dense,
      Radio: dense,
      Switch: dense,
      SegmentedControl: dense,
      Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: "sm", highlightOnHover: true } },
      ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: "md" } },
      // The first entry takes the focus: the placeholder that would is nothing that a menu may hold (axe: aria-required-children).
      Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
      Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
      Modal: { defaultProps: { ...labelledClose, size: "lg" }, styles: titled },
      Drawer: { defaultProps: { ...labelledClose, position: "right" }, styles: titled },
      Fieldset: { styles: { root: { marginInline: 0 }, legend: { fontWeight: 600 } } },
      Notification: { defaultProps: labelledClose },
    },
  });
}

/** Mends what fails WCAG AA in the default theme, and names the colours of states; a state never goes by colour alone. */
export const cssVariables: CSSVariablesResolver = (base) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": base.colors.gray[7],
    "--mantine-color-placeholder": base.colors.gray[7],
    "--mantine-color-error": "#c01f1f",
    "--mantine-color-anchor": base.colors.hull?.[8] ?? "",
    "--mantine-color-red-text": "#c01f1f",
    "--mantine-color-red-outline": "#c01f1f",
    "--mantine-color-gray-text": base.colors.gray[7],
    "--mantine-color-hull-light-color": base.colors.hull?.[9] ?? "",
    "--mantine-color-red-light-color": "#a51111",
    "--mantine-color-yellow-light-color": "#6d4300",
    "--mantine-color-green-light-color": "#186429",
    "--mantine-color-gray-light-color": base.colors.gray[8],
    "--state-good": "#1b7a30",
    "--state-bad": "#c01f1f",
    "--state-busy": base.colors.hull?.[8] ?? "",
    "--state-warn": "#8a5300",
    "--state-still": base.colors.gray[7],
    "--panel": base.white,
    "--ground": base.colors.gray[0],
    "--line": base.colors.gray[3],
    "--log-ground": "#fbfcfd",
    "--log-hit": "#fff4cf",
    "--log-mark": "#ffdf70",
  },
  dark: {
    "--mantine-color-placeholder": base.colors.dark[2],
    "--mantine-color-dimmed": base.colors.dark[1],
    "--mantine-color-error": "#ff8787",
    "--mantine-color-anchor": base.colors.hull?.[3] ?? "",
    "--mantine-color-red-text": "#ff8787",
    "--mantine-color-red-outline": "#ff8787",
    "--state-good": "#69db7c",
    "--state-bad": "#ff8787",
    "--state-busy": base.colors.hull?.[3] ?? "",
    "--state-warn": "#ffc95c",
    "--state-still": base.colors.dark[1],
    "--panel": base.colors.dark[7],
    "--ground": base.colors.dark[8],
    "--line": base.colors.dark[4],
    "--log-ground": base.colors.dark[8],
    "--log-hit": "#3d3208",
    "--log-mark": "#7a5d00",
  },
});
