import { createInstance } from "i18next";
import { initReactI18next } from "react-i18next";

import en from "./en.json";
import zh from "./zh.json";

/** Every text of the console. English decides the keys; a key that Chinese lacks does not compile. */
const resources = { en: { translation: en }, zh: { translation: zh satisfies typeof en } };

export const translations = createInstance();

/** The languages of the console. */
export type Language = keyof typeof resources;

const STORED_LANGUAGE = "slipway.language";
const storedLanguage = (): Language | null => {
  const stored = localStorage.getItem(STORED_LANGUAGE);
  return stored === "en" || stored === "zh" ? stored : null;
};

/** Changes the language of everything on the screen and remembers it. */
export function chooseLanguage(language: Language) {
  localStorage.setItem(STORED_LANGUAGE, language);
  void translations.changeLanguage(language);
}

void translations.use(initReactI18next).init({
  resources,
  lng: storedLanguage() ?? (navigator.language.startsWith("zh") ? "zh" : "en"),
  fallbackLng: "en",
  interpolation: { escapeValue: false },
});

const setDocumentLanguage = (language: string) => {
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
};
setDocumentLanguage(translations.language);
translations.on("languageChanged", setDocumentLanguage);

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}
