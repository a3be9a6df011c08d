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
export const theme = createTheme({
  primaryColor: "hull",
  primaryShade: { light: 7, dark: 5 },
  colors: { hull },
  fontFamily: '-apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace',
  defaultRadius: "sm",
  cursorType: "pointer",
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
});

/** Mends what fails WCAG AA in the default theme: secondary text and placeholders are too pale on white. */
export const cssVariables: CSSVariablesResolver = (base) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": base.colors.gray[7],
    "--mantine-color-placeholder": base.colors.gray[7],
  },
  dark: { "--mantine-color-placeholder": base.colors.dark[2] },
});
